import type { Layering } from '@/api/types'
import { useFormat } from '@/format/use-format'
import { useLanguage } from '@/i18n/language'
import { EmptyState } from '@/ui/empty'
import { Panel } from '@/ui/page'
import { FlowChart } from '../flow-chart'
import { movedOf } from '../moved'

export function MigrationTab({ layering }: { layering: Layering }) {
  const { t } = useLanguage()
  const format = useFormat()
  const { migration } = layering.quality
  if (!migration)
    return (
      <Panel>
        <EmptyState picture="layers" title={t('migration.none')}>
          {t('migration.none.about')}
        </EmptyState>
      </Panel>
    )
  const { known, moved } = movedOf(migration.flows)
  const share = format.percent(known === 0 ? 0 : moved / known)
  return (
    <FlowChart
      id="migration"
      title={t('migration.title', { from: format.day(migration.from_as_of), to: format.day(migration.to_as_of) })}
      about={
        <>
          {t('migration.moved', { known, moved, share })} {t('migration.about')}
        </>
      }
      summary={t('migration.summary', { share })}
      flows={migration.flows}
      left={layering.layers}
      right={layering.layers}
    />
  )
}
