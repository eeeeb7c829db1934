import { SettingOutlined } from '@ant-design/icons'
import { useQuery } from '@tanstack/react-query'
import { Button, Switch } from 'antd'
import { valueWords } from '@/analysis/answers/shared'
import { Problem, http } from '@/api/client'
import type { DealCell, DealPathsAnswer } from '@/api/types'
import { useFormat } from '@/format/use-format'
import { useLanguage } from '@/i18n/language'
import type { MessageKey } from '@/i18n/messages'
import { ShareText } from '@/measure/numbers'
import { StagesDrawer } from '@/measure/stages-drawer'
import { useRange } from '@/measure/use-range'
import { useCan } from '@/shell/session'
import { AsCode } from '@/ui/as-code'
import { DataTable } from '@/ui/data-table'
import { EmptyState } from '@/ui/empty'
import { Loaded } from '@/ui/loaded'
import { Page, Panel } from '@/ui/page'
import { Pill } from '@/ui/pill'
import { useUrlState } from '@/url/use-url-state'

export default function CspddPage() {
  const { t } = useLanguage()
  const can = useCan()
  const url = useUrlState()
  const { range, button } = useRange('90d')
  const query = useQuery({ queryKey: ['cspdd', range], queryFn: ({ signal }) => http.post<DealPathsAnswer>('/cspdd', { range }, undefined, signal), retry: false })
  const unset = query.error instanceof Problem && (query.error.field ?? '').startsWith('stages.')
  const stages = can('analyst') && (
    <Button icon={<SettingOutlined />} onClick={() => url.set({ stages: 1 })}>
      {t('stages.button')}
    </Button>
  )
  return (
    <Page title={t('cspdd.title')} about={t('cspdd.about')} actions={<>{button}{stages}<AsCode path="/cspdd" body={{ range }} /></>}>
      {unset ? (
        <Panel>
          <EmptyState picture="layers" title={t('cspdd.unset')} action={stages}>
            {t('cspdd.unset.about')}
          </EmptyState>
        </Panel>
      ) : (
        <Loaded query={query} rows={10}>
          {(answer) => <Shown answer={answer} />}
        </Loaded>
      )}
      {url.get('stages') === '1' && <StagesDrawer close={() => url.set({ stages: null })} />}
    </Page>
  )
}

function Shown({ answer }: { answer: DealPathsAnswer }) {
  const { t } = useLanguage()
  const format = useFormat()
  const url = useUrlState()
  const all = url.get('all') === '1'
  const named = answer.cells.filter((cell) => cell.verdict !== 'nothing')
  const cells = all ? answer.cells : named
  const where = (cell: DealCell) => `${valueWords(cell.channel, t)} × ${valueWords(cell.scene, t)} × ${valueWords(cell.product, t)}`
  return (
    <>
      <div className="cspdd">
        {answer.stages.map((stage) => (
          <Panel key={stage.stage} title={t(`cspdd.stage.${stage.stage}` as MessageKey)} about={format.count(stage.people)} extra={stage.on && <span className="small">{t('cspdd.on')} <ShareText part={stage.on} /></span>} flush>
            {stage.values.length > 0 && (
              <DataTable
                size="small"
                rowKey={(one) => JSON.stringify(one.value)}
                dataSource={stage.values}
                pagination={false}
                scroll={{ x: 420 }}
                columns={[
                  { title: t('cspdd.value'), render: (_, one) => valueWords(one.value, t) },
                  { title: t('aarrr.people'), align: 'right', render: (_, one) => format.count(one.people) },
                  { title: t('cspdd.on'), align: 'right', render: (_, one) => <ShareText part={one.on} /> },
                  { title: t('cspdd.deals'), align: 'right', render: (_, one) => <ShareText part={one.deals} /> },
                ]}
              />
            )}
          </Panel>
        ))}
      </div>
      <Panel
        title={t('cspdd.cells')}
        about={t('cspdd.cells.about', { judged: answer.judged, small: answer.small })}
        flush
        extra={
          <span className="row small">
            <Switch size="small" aria-label={t('cspdd.all')} checked={all} onChange={(on) => url.set({ all: on ? 1 : null })} /> {t('cspdd.all')}
          </span>
        }
      >
        {cells.length === 0 ? (
          answer.judged === 0 ? (
            <EmptyState picture="people" title={t('cspdd.few')}>
              {t('cspdd.few.about')}
            </EmptyState>
          ) : (
            <EmptyState picture="done" title={t('cspdd.nothing')}>
              {t('cspdd.nothing.about')}
            </EmptyState>
          )
        ) : (
          <DataTable<DealCell>
            size="small"
            rowKey={where}
            dataSource={cells}
            pagination={cells.length > 25 ? { pageSize: 25, showSizeChanger: false } : false}
            scroll={{ x: 900 }}
            columns={[
              { title: t('cspdd.cell'), render: (_, cell) => where(cell) },
              { title: t('cspdd.verdict'), render: (_, cell) => <Pill tone={cell.verdict === 'better' ? 'good' : cell.verdict === 'worse' ? 'bad' : 'plain'}>{t(`cspdd.verdict.${cell.verdict}` as MessageKey)}</Pill> },
              { title: t('cspdd.deals'), align: 'right', render: (_, cell) => <ShareText part={cell.deals} /> },
              { title: t('cspdd.expected'), align: 'right', render: (_, cell) => format.decimal(cell.expected, 1) },
              { title: t('cspdd.lift'), align: 'right', render: (_, cell) => (cell.lift === null ? '—' : `${format.decimal(cell.lift)}× (${format.decimal(cell.low)} – ${format.decimal(cell.high)})`) },
              { title: t('cspdd.p'), align: 'right', render: (_, cell) => (cell.p < 0.001 ? '< 0.001' : format.decimal(cell.p, 3)) },
            ]}
          />
        )}
      </Panel>
    </>
  )
}
