import { DeleteOutlined, EditOutlined } from '@ant-design/icons'
import { useQuery, useQueryClient } from '@tanstack/react-query'
import { App, Button } from 'antd'
import { Link, useNavigate, useParams } from 'react-router'
import { http } from '@/api/client'
import type { NodeAnswer, ShownTree, TreeAnswer } from '@/api/types'
import { useFormat } from '@/format/use-format'
import { useLanguage } from '@/i18n/language'
import type { MessageKey } from '@/i18n/messages'
import { useUnit } from '@/measure/numbers'
import { TreeForm } from '@/measure/tree-form'
import { useRange } from '@/measure/use-range'
import { Moved } from '@/pages/metrics/one/page'
import { useCan } from '@/shell/session'
import { AsCode } from '@/ui/as-code'
import { Loaded } from '@/ui/loaded'
import { Page, Panel } from '@/ui/page'
import { Pill, type Tone } from '@/ui/pill'
import { useAct } from '@/ui/use-act'
import { useUrlState } from '@/url/use-url-state'

const TONES: Record<string, Tone> = { ahead: 'good', reached: 'good', on_pace: 'info', behind: 'warn', missed: 'bad' }

export default function TreePage() {
  const { t } = useLanguage()
  const { key = '' } = useParams()
  const can = useCan()
  const act = useAct()
  const url = useUrlState()
  const client = useQueryClient()
  const navigate = useNavigate()
  const { modal } = App.useApp()
  const { range, button } = useRange('30d')
  const held = useQuery({ queryKey: ['trees', key], queryFn: ({ signal }) => http.get<ShownTree>(`/trees/${key}`, undefined, signal) })
  const answer = useQuery({ queryKey: ['tree-values', key, held.data?.version, range], queryFn: ({ signal }) => http.post<TreeAnswer>(`/trees/${key}/values`, { range }, undefined, signal), enabled: held.data !== undefined, retry: false })
  function remove(name: string) {
    void modal.confirm({
      title: t('analysis.remove.title', { title: name }),
      content: t('trees.remove.about'),
      okText: t('analysis.remove'),
      okButtonProps: { danger: true },
      cancelText: t('action.cancel'),
      onOk: () =>
        act(async () => {
          await http.delete(`/trees/${key}`)
          await client.invalidateQueries({ queryKey: ['trees'] })
          void navigate('/analysis/trees')
        }, t('analysis.removed')),
    })
  }
  return (
    <Loaded query={held}>
      {(tree) => (
        <Page
          title={tree.tree.name}
          about={tree.tree.about || t('trees.about')}
          asOf={answer.data && t('trees.days', { first: answer.data.first, last: answer.data.last, before_first: answer.data.before_first, before_last: answer.data.before_last })}
          actions={
            <>
              {button}
              {can('analyst') && (
                <>
                  <Button icon={<EditOutlined />} onClick={() => url.set({ edit: 1 })}>
                    {t('trees.change')}
                  </Button>
                  <Button icon={<DeleteOutlined />} aria-label={t('action.delete')} onClick={() => remove(tree.tree.name)} />
                </>
              )}
              <AsCode path={`/trees/${key}/values`} body={{ range }} />
            </>
          }
        >
          <Loaded query={answer} rows={8}>
            {(data) => (
              <Panel label={tree.tree.name}>
                <div className="kpi-tree">{data.nodes[0] && <Branch node={data.nodes[0]} all={data.nodes} />}</div>
              </Panel>
            )}
          </Loaded>
          {url.get('edit') === '1' && can('analyst') && (
            <TreeForm
              value={tree.tree}
              fixed
              close={() => url.set({ edit: null })}
              save={async (next) => {
                const done = await act(async () => {
                  await http.put(`/trees/${key}`, { tree: next, version: tree.version })
                  await client.invalidateQueries({ queryKey: ['trees'] })
                }, t('trees.saved'))
                if (done) url.set({ edit: null })
                return done
              }}
            />
          )}
        </Page>
      )}
    </Loaded>
  )
}

function Branch({ node, all }: { node: NodeAnswer; all: NodeAnswer[] }) {
  const { t } = useLanguage()
  const children = all.filter((one) => one.parent === node.id)
  return (
    <div className="kpi-branch">
      <NodeCard node={node} root={all[0]} />
      {children.length > 0 && (
        <div className="kpi-children" role="group" aria-label={t(`trees.combine.${node.combine === 'product' ? 'product' : 'sum'}`)}>
          <span className="small muted">{node.combine === 'product' ? '×' : '+'}</span>
          {children.map((child) => (
            <Branch key={child.id} node={child} all={all} />
          ))}
        </div>
      )}
    </div>
  )
}

function NodeCard({ node, root }: { node: NodeAnswer; root: NodeAnswer | undefined }) {
  const { t } = useLanguage()
  const format = useFormat()
  const unit = useUnit()
  const change = root === undefined || root.value === null || root.previous === null ? null : root.value - root.previous
  const { pace } = node
  return (
    <article className="kpi-node" aria-label={node.name}>
      <header>{node.metric === '' ? node.name : <Link to={`/analysis/metrics/${node.metric}`}>{node.name}</Link>}</header>
      {node.error === '' ? (
        <>
          <div className="value">{unit(node.value, node.unit)}</div>
          <div className="small muted">
            {t('trees.before')} {unit(node.previous, node.unit)} · <Moved now={node.value} before={node.previous} good={node.direction === 'up'} />
          </div>
          {node.of_root !== null && node.parent !== '' && (
            <div className="small">
              {t('trees.adds')} {unit(node.of_root, root?.unit ?? 'number')}
              {change !== null && change !== 0 && ` (${format.percent(node.of_root / change)})`}
            </div>
          )}
          {node.gap !== null && Math.abs(node.gap) > Math.abs(node.value ?? 0) * 0.001 && (
            <div className="small muted">
              {t('trees.gap')} {unit(node.gap, node.unit)}
            </div>
          )}
        </>
      ) : (
        <p className="small" role="alert">
          {node.error}
        </p>
      )}
      {pace && (
        <div className="small stack tight">
          <span>
            <Pill tone={TONES[pace.status] ?? 'plain'}>{t(`trees.pace.${pace.status}` as MessageKey)}</Pill> {unit(pace.reached, node.unit)} / {unit(pace.value, node.unit)}
          </span>
          <span className="muted">{t('trees.due', { due: unit(pace.due, node.unit), until: pace.until })}</span>
          {pace.forecast !== null && pace.low !== null && <span className="muted">{t('trees.forecast', { value: unit(pace.forecast, node.unit), low: unit(pace.low, node.unit), high: unit(pace.high, node.unit) })}</span>}
          {pace.doubts.map((doubt) => (
            <span key={doubt} style={{ color: 'var(--warn)' }}>
              {t(`trees.doubt.${doubt}` as MessageKey)}
            </span>
          ))}
        </div>
      )}
      {node.owner !== '' && <div className="small muted">{t('trees.owner', { name: node.owner })}</div>}
    </article>
  )
}
