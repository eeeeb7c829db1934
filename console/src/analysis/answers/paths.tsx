import { useMemo } from 'react'
import type { PathsAnswer } from '@/api/types'
import { Chart } from '@/chart/chart'
import { useFormat } from '@/format/use-format'
import { useLanguage } from '@/i18n/language'
import type { Colors } from '@/theme/colors'
import { DataTable } from '@/ui/data-table'
import { EmptyState } from '@/ui/empty'
import { Panel } from '@/ui/page'
import { ShareBar } from '@/ui/share-bar'
import { PeopleNumber, type AnswerProps } from './shared'

/** `2_/cart` is step 2, /cart. */
function readNode(text: string): { step: number; name: string } {
  const found = /^(\d+)_(.*)$/s.exec(text)
  return found ? { step: Number(found[1]), name: found[2] ?? '' } : { step: 0, name: text }
}

export function Paths({ question, answer, behind, compact }: AnswerProps<PathsAnswer>) {
  const { t } = useLanguage()
  const format = useFormat()
  const nodeName = (name: string) => (name === '(other)' ? t('analysis.other') : name)
  const nodes = useMemo(() => [...new Set(answer.edges.flatMap((edge) => [edge.source, edge.target]))].map((id) => ({ id, ...readNode(id) })), [answer])
  const first = Math.min(...nodes.map((node) => node.step), Infinity)
  const option = useMemo(
    () => (c: Colors) => {
      const names = [...new Set(nodes.map((node) => node.name))]
      const colorOf = (name: string) => (name === '(other)' ? c.lineStrong : (c.series[names.indexOf(name) % c.series.length] ?? c.accent))
      return {
        tooltip: {
          formatter: (item: { dataType: string; data: { source?: string; target?: string; value?: number; seconds?: number; name?: string } }) =>
            item.dataType === 'edge'
              ? `${nodeName(readNode(item.data.source ?? '').name)} → ${nodeName(readNode(item.data.target ?? '').name)}<br/>${t('analysis.paths.sessions', { n: item.data.value ?? 0 })} · ${format.duration(item.data.seconds)}`
              : nodeName(readNode(item.data.name ?? '').name),
        },
        series: [
          {
            type: 'sankey',
            animation: false,
            left: 8,
            right: 120,
            top: 8,
            bottom: 8,
            nodeGap: 10,
            nodeWidth: 14,
            layoutIterations: 32,
            draggable: false,
            data: nodes.map((node) => ({ name: node.id, depth: node.step - first, itemStyle: { color: colorOf(node.name) } })),
            links: answer.edges.map((edge) => ({ source: edge.source, target: edge.target, value: edge.sessions, seconds: edge.mean_seconds })),
            label: { color: c.text, formatter: ({ name }: { name: string }) => { const text = nodeName(readNode(name).name); return text.length > 22 ? `${text.slice(0, 21)}…` : text } },
            lineStyle: { color: 'source', opacity: 0.25, curveness: 0.5 },
            emphasis: { focus: 'adjacency' },
          },
        ],
      }
    },
    // eslint-disable-next-line react-hooks/exhaustive-deps
    [answer, nodes, first, format, t],
  )
  if (answer.edges.length === 0 && !compact) {
    return (
      <Panel>
        <EmptyState picture="curve" title={t('analysis.empty')}>
          {answer.sessions > 0 ? t('analysis.paths.short', { n: answer.sessions }) : t('analysis.empty.about')}
        </EmptyState>
      </Panel>
    )
  }
  const depth = new Set(nodes.map((node) => node.step)).size
  return (
    <>
      <Chart
        id="paths"
        title={t('analysis.kind.paths')}
        about={t('analysis.paths.about', { n: answer.sessions })}
        summary={t('analysis.paths.about', { n: answer.sessions })}
        height={compact ? 260 : Math.min(760, 220 + Math.max(...[...new Set(nodes.map((node) => node.step))].map((step) => nodes.filter((node) => node.step === step).length)) * 34 + depth * 10)}
        option={option}
        table={{ columns: [{ title: t('analysis.paths.from') }, { title: t('analysis.paths.to') }, { title: t('analysis.paths.count'), end: true }, { title: t('analysis.paths.seconds'), end: true }], rows: answer.edges.map((edge) => [edge.source, edge.target, edge.sessions, edge.mean_seconds]) }}
      />
      {!compact && (
        <Panel title={t('analysis.table')} flush>
          <DataTable<PathsAnswer['edges'][number]>
            size="small"
            rowKey={(edge) => `${edge.source}>${edge.target}`}
            dataSource={answer.edges}
            pagination={answer.edges.length > 50 ? { pageSize: 50, showSizeChanger: false } : false}
            scroll={{ x: 720 }}
            columns={[
              { title: t('analysis.step'), render: (_, edge) => `${readNode(edge.source).step} → ${readNode(edge.target).step}` },
              { title: t('analysis.paths.from'), render: (_, edge) => nodeName(readNode(edge.source).name) },
              { title: t('analysis.paths.to'), render: (_, edge) => nodeName(readNode(edge.target).name) },
              { title: t('analysis.paths.count'), width: 220, render: (_, edge) => <ShareBar share={answer.sessions > 0 ? edge.sessions / answer.sessions : 0} text={`${format.percent(answer.sessions > 0 ? edge.sessions / answer.sessions : null, 1)}  ${format.ratio(edge.sessions, answer.sessions)}`} /> },
              {
                title: t('analysis.people'),
                render: (_, edge) => {
                  const title = `${nodeName(readNode(edge.source).name)} → ${nodeName(readNode(edge.target).name)}`
                  return behind && <PeopleNumber open={() => behind({ kind: 'paths', question, which: { source: edge.source, target: edge.target }, title })} label={t('analysis.people.of', { what: title })}>{t('analysis.people.show')}</PeopleNumber>
                },
              },
              { title: t('analysis.paths.seconds'), align: 'right', render: (_, edge) => format.duration(edge.mean_seconds) },
            ]}
          />
        </Panel>
      )}
    </>
  )
}
