import type { ClvPerson, ClvQuestion, ClvResult } from '@/api/types'
import { useFormat } from '@/format/use-format'
import { useLanguage } from '@/i18n/language'
import { DataTable } from '@/ui/data-table'
import { Panel } from '@/ui/page'
import { PersonLink } from '@/ui/person-link'
import { ShareBar } from '@/ui/share-bar'
import { useHorizon } from './use-horizon'

export function Forecasts({ result, question }: { result: ClvResult; question: ClvQuestion }) {
  const { t } = useLanguage()
  const format = useFormat()
  const horizon = useHorizon(result)
  return (
    <Panel title={t('clv.top')} about={t('clv.top.about', { horizon, level: format.percent(result.level, 0) })} flush>
      <DataTable<ClvPerson>
        key={question.model}
        rowKey="uid"
        size="middle"
        dataSource={result.top}
        pagination={result.top.length > 20 ? { pageSize: 20, showSizeChanger: false } : false}
        scroll={{ x: 640 }}
        columns={[
          { title: t('layering.person'), render: (_, person) => <PersonLink person={person} /> },
          { title: t('clv.alive'), width: 150, render: (_, person) => <ShareBar share={person.p_alive} text={format.percent(person.p_alive, 0)} /> },
          {
            title: t('clv.purchases'),
            align: 'right',
            render: (_, person) => (
              <span className="num">
                {format.fixed(person.expected_purchases, 1)} <span className="muted small">({format.count(person.low)}–{format.count(person.high)})</span>
              </span>
            ),
          },
          {
            title: t('clv.value'),
            align: 'right',
            render: (_, person) => (
              <span className="num">
                {format.money(person.expected_value)}
                {person.value_low && person.value_high && <span className="muted small"> ({format.money(person.value_low)}–{format.money(person.value_high)})</span>}
              </span>
            ),
          },
        ]}
      />
    </Panel>
  )
}
