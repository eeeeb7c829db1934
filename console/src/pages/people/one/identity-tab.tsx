import { useQuery, useQueryClient } from '@tanstack/react-query'
import { App, Button } from 'antd'
import type { EChartsCoreOption } from 'echarts/core'
import { useCallback } from 'react'
import { http } from '@/api/client'
import type { IdentityGraph, IdentityLink } from '@/api/types'
import { Chart } from '@/chart/chart'
import { useFormat } from '@/format/use-format'
import { useLanguage } from '@/i18n/language'
import { useCan } from '@/shell/session'
import type { Colors } from '@/theme/colors'
import { DataTable } from '@/ui/data-table'
import { Loaded } from '@/ui/loaded'
import { Pill } from '@/ui/pill'
import { useAct } from '@/ui/use-act'
import { reasonOf, verbOf } from '../identity-words'

const MOST_DRAWN = 60
const nameOf = (one: { kind: string; id: string }) => `${one.kind}: ${one.id}`

/** Why these ids are one person: every link with its reason, drawn and listed; each can be taken back. */
export function IdentityTab({ id }: { id: string }) {
  const query = useQuery({ queryKey: ['person', id, 'identity'], queryFn: ({ signal }) => http.get<IdentityGraph>(`/people/${encodeURIComponent(id)}/identity`, undefined, signal) })
  return <Loaded query={query}>{(graph) => <Identity graph={graph} />}</Loaded>
}

function Identity({ graph }: { graph: IdentityGraph }) {
  const { t } = useLanguage()
  const format = useFormat()
  const can = useCan()
  const act = useAct()
  const { modal } = App.useApp()
  const client = useQueryClient()
  const drawn = graph.ids.slice(0, MOST_DRAWN).map(nameOf)

  const option = useCallback(
    (colors: Colors): EChartsCoreOption => {
      const known = new Set(graph.ids.slice(0, MOST_DRAWN).map(nameOf))
      const links = graph.links.filter((link) => link.b !== null && known.has(nameOf(link.a)) && known.has(nameOf(link.b)))
      const kinds = [...new Set(graph.ids.map((one) => one.kind))]
      return {
        tooltip: {},
        series: [
          {
            type: 'graph',
            layout: 'circular',
            roam: true,
            left: 140,
            right: 140,
            top: 32,
            bottom: 32,
            symbolSize: 18,
            edgeSymbol: ['none', 'arrow'],
            edgeSymbolSize: 7,
            label: { show: true, position: 'right', color: colors.text, overflow: 'truncate', width: 130 },
            edgeLabel: { show: links.length <= 20, color: colors.secondary, fontSize: 11, formatter: (one: { data: { words: string } }) => one.data.words },
            categories: kinds.map((name, at) => ({ name, itemStyle: { color: colors.series[at % colors.series.length] } })),
            data: [...known].map((name) => ({ name, category: kinds.indexOf(name.split(': ')[0] ?? '') })),
            links: links.map((link) => ({
              source: nameOf(link.a),
              target: link.b ? nameOf(link.b) : '',
              words: t(verbOf(link.verb)),
              lineStyle: { color: link.refused ? colors.bad : colors.lineStrong, type: link.refused ? 'dashed' : 'solid', width: 1.5 },
            })),
          },
        ],
      }
    },
    [graph, t],
  )

  function undo(link: IdentityLink) {
    void modal.confirm({
      title: t('identity.undo.title'),
      content: t('identity.undo.about', { a: nameOf(link.a), b: link.b ? nameOf(link.b) : '' }),
      okText: t('identity.undo'),
      okButtonProps: { danger: true },
      cancelText: t('action.cancel'),
      onOk: async () => {
        await act(async () => {
          await http.post(`/identity/links/${encodeURIComponent(link.key)}/undo`)
          await client.invalidateQueries()
        }, t('identity.undo.done'))
      },
    })
  }
  return (
    <div className="stack">
      {graph.ids.length > 1 && (
        <Chart
          id="identity"
          title={t('identity.picture')}
          summary={t('identity.summary', { ids: graph.ids.length, links: graph.links.length })}
          about={graph.ids.length > MOST_DRAWN ? t('identity.some', { shown: drawn.length, n: graph.ids.length }) : undefined}
          height={320}
          option={option}
          table={{
            columns: [{ title: t('person.ids.kind') }, { title: t('person.ids.id') }],
            rows: graph.ids.map((one) => [one.kind, one.id]),
          }}
        />
      )}
      {graph.links.length === 0 ? (
        <p className="muted">{t('identity.none')}</p>
      ) : (
        <DataTable<IdentityLink>
          rowKey={(link) => `${link.key}${link.verb}`}
          size="small"
          dataSource={graph.links}
          pagination={{ pageSize: 50, hideOnSinglePage: true, showSizeChanger: false }}
          scroll={{ x: 760 }}
          columns={[
            { title: t('identity.one'), render: (_, link) => <span className="mono small">{nameOf(link.a)}</span> },
            { title: t('identity.reason'), render: (_, link) => t(verbOf(link.verb)) },
            { title: t('identity.other'), render: (_, link) => <span className="mono small">{link.b ? nameOf(link.b) : '—'}</span> },
            { title: t('person.ids.source'), dataIndex: 'source' },
            { title: t('identity.first'), render: (_, link) => <span title={format.instantFull(link.first_at)}>{format.dayOf(link.first_at)}</span> },
            { title: t('identity.state'), render: (_, link) => (link.refused ? <Refused refused={link.refused} /> : <Pill tone="good">{t('identity.applied')}</Pill>) },
            {
              title: <span className="sr">{t('identity.undo')}</span>,
              align: 'right',
              render: (_, link) =>
                can('operator') &&
                link.b &&
                !link.refused && (
                  <Button size="small" onClick={() => undo(link)}>
                    {t('identity.undo')}
                  </Button>
                ),
            },
          ]}
        />
      )}
      {graph.more > 0 && <p className="small muted">{t('identity.more', { n: graph.more })}</p>}
      {graph.merges.length > 0 && (
        <>
          <h3 style={{ fontSize: 15 }}>{t('identity.merges')}</h3>
          <ul style={{ paddingInlineStart: 20, margin: 0 }}>
            {graph.merges.map((merge) => (
              <li key={`${merge.from_uid}:${merge.into_uid}:${merge.at}`}>
                {t(merge.split_at ? 'identity.merge.split' : 'identity.merge.line', { from: String(merge.from_uid), into: String(merge.into_uid), verb: t(verbOf(merge.verb)) })} <span className="small muted">{format.instantFull(merge.at)}</span>
              </li>
            ))}
          </ul>
        </>
      )}
    </div>
  )
}

export function Refused({ refused }: { refused: string }) {
  const { t } = useLanguage()
  const words = reasonOf(refused)
  return <Pill tone="warn">{words ? t(words) : refused}</Pill>
}
