import { DeleteOutlined } from '@ant-design/icons'
import { Button, Select, Tabs } from 'antd'
import { useNavigate, useParams } from 'react-router'
import type { Layering } from '@/api/types'
import { useFormat } from '@/format/use-format'
import { useLanguage } from '@/i18n/language'
import { useCan } from '@/shell/session'
import { ExportButton } from '@/ui/export-button'
import { Loaded } from '@/ui/loaded'
import { Page } from '@/ui/page'
import { oneOf, useUrlState } from '@/url/use-url-state'
import { useLayering, useLayerings } from '../queries'
import { useConfirmDelete } from '../use-confirm-delete'
import { useKindNames } from '../use-kind-names'
import { LayerView } from './layer-view'
import { LayersTab } from './layers-tab'
import { MigrationTab } from './migration-tab'
import { QualityTab } from './quality-tab'

const tabs = ['layers', 'quality', 'migration'] as const

export default function LayeringPage() {
  const { id = '' } = useParams()
  const { t, pick } = useLanguage()
  const format = useFormat()
  const url = useUrlState()
  const query = useLayering(id)
  const layering = query.data
  const layer = layering?.layers.find((one) => one.key === url.get('layer'))

  if (layering && layer) return <LayerView layering={layering} layer={layer} />
  return (
    <Page
      title={layering ? pick(layering.name) : t('layerings.title')}
      about={layering && t('layering.about', { people: layering.people, layers: layering.layers.length, score: t('layerings.score', { score: layering.quality.score }) })}
      asOf={
        layering && (
          <>
            {t('layering.asof', { day: format.day(layering.as_of), zone: format.place.timezone, computed: format.ago(layering.computed_at), took: format.milliseconds(layering.took_ms) })}
            {pick(layering.as_of_note) && ` · ${pick(layering.as_of_note)}`}
            {layering.quality.staleness_days > 0 && ` · ${t('layering.stale', { n: layering.quality.staleness_days })}`}
          </>
        )
      }
      actions={layering && <Actions layering={layering} id={id} />}
    >
      <Loaded query={query} rows={12}>
        {(data) => (
          <Tabs
            activeKey={oneOf(url.get('tab'), tabs)}
            onChange={(tab) => url.set({ tab: tab === 'layers' ? null : tab }, { push: true })}
            items={[
              { key: 'layers', label: t('layering.tab.layers'), children: <LayersTab layering={data} /> },
              { key: 'quality', label: t('layering.tab.quality'), children: <QualityTab layering={data} /> },
              { key: 'migration', label: t('layering.tab.migration'), children: <MigrationTab layering={data} /> },
            ]}
          />
        )}
      </Loaded>
    </Page>
  )
}

function Actions({ layering, id }: { layering: Layering; id: string }) {
  const { t, pick } = useLanguage()
  const can = useCan()
  const navigate = useNavigate()
  const others = useLayerings()
  const { savedName } = useKindNames()
  const remove = useConfirmDelete(() => void navigate('/people/layerings'))
  const choices = (others.data?.saved ?? []).filter((one) => String(one.id) !== id)
  return (
    <>
      {choices.length > 0 && (
        <Select
          style={{ minWidth: 190 }}
          placeholder={t('layering.compare_with')}
          aria-label={t('layering.compare_with')}
          value={null}
          options={choices.map((one) => ({ value: String(one.id), label: savedName(one) }))}
          onChange={(other: string | null) => other && void navigate(`/people/layerings/${id}/compare/${other}`)}
        />
      )}
      {can('analyst') && <ExportButton path={`/layerings/${id}/export`} name={`${layering.kind}-${layering.as_of}`} label={t('layering.export.all')} />}
      {can('analyst') && <Button icon={<DeleteOutlined />} aria-label={t('layerings.delete')} onClick={() => remove({ id, name: pick(layering.name), day: layering.as_of, people: layering.people })} />}
    </>
  )
}
