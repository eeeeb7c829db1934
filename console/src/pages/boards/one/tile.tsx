import { ArrowLeftOutlined, ArrowRightOutlined, DeleteOutlined, HolderOutlined } from '@ant-design/icons'
import { useQuery } from '@tanstack/react-query'
import { Button, Input, InputNumber, Skeleton } from 'antd'
import { useMemo, useRef, type PointerEvent } from 'react'
import { Link } from 'react-router'
import { questionAddress } from '@/analysis/address'
import { AnswerView } from '@/analysis/answer-view'
import { isKind, titleOf, type Question } from '@/analysis/kinds'
import { tidy } from '@/analysis/question'
import { http } from '@/api/client'
import type { MetricAnswer, Tile } from '@/api/types'
import { ChartScope } from '@/chart/chart'
import { useFormat } from '@/format/use-format'
import { useLanguage } from '@/i18n/language'
import { MetricChart } from '@/measure/metric-chart'
import { useMadeOf, useUnit } from '@/measure/numbers'
import { Moved } from '@/pages/metrics/one/page'
import { ProblemView } from '@/ui/problem'

/** Pixels of a row of the board. */
const ROW = 96
const REFRESH = 5 * 60_000
const SOON = 1_500

interface TileProps {
  at: number
  of: number
  tile: Tile
  everywhere: Question
  /** The board and its version where this tile is as it was saved: then its answer is kept from look to look. */
  saved: { board: number; version: number } | null
  editing: boolean
  change: (part: Partial<Tile>) => void
  move: (to: number) => void
  drop: (from: number) => void
  remove: () => void
}

/** The tile's question under what holds for the whole board. */
export function asked(question: Question, everywhere: Question): Question {
  const { range, segment, filters } = everywhere
  const listed = [question.filters, filters].filter((one) => one !== undefined && one !== null).map((one) => (Array.isArray(one) ? { all: one as unknown[] } : one))
  return tidy({ ...question, ...(range === undefined ? {} : { range }), ...(segment === undefined ? {} : { segment }), filters: listed.length > 1 ? { all: listed } : listed[0] })
}

export function TileView({ at, of, tile, everywhere, saved, editing, change, move, drop, remove }: TileProps) {
  const { t } = useLanguage()
  const frame = useRef<HTMLElement>(null)
  const size = { gridColumn: `span ${tile.width}`, minHeight: tile.kind === 'text' && !editing ? undefined : tile.height * ROW }

  // The corner is pulled; the tile keeps to the board's columns and rows.
  function resize(event: PointerEvent<HTMLButtonElement>) {
    const element = frame.current
    const board = element?.parentElement
    if (!element || !board) return
    event.preventDefault()
    const column = board.clientWidth / 12
    const box = element.getBoundingClientRect()
    const follow = (moved: globalThis.PointerEvent) =>
      change({
        width: Math.max(3, Math.min(12, Math.round((moved.clientX - box.left) / column))),
        height: Math.max(1, Math.min(8, Math.round((moved.clientY - box.top) / ROW))),
      })
    const end = () => {
      window.removeEventListener('pointermove', follow)
      window.removeEventListener('pointerup', end)
    }
    window.addEventListener('pointermove', follow)
    window.addEventListener('pointerup', end)
  }
  return (
    <section
      ref={frame}
      className={editing ? 'tile editing' : 'tile'}
      style={size}
      aria-label={tile.title || t('boards.tile', { n: at + 1 })}
      onDragOver={editing ? (event) => event.preventDefault() : undefined}
      onDrop={
        editing
          ? (event) => {
              event.preventDefault()
              const from = Number(event.dataTransfer.getData('text/tile'))
              if (Number.isInteger(from)) drop(from)
            }
          : undefined
      }
    >
      {editing && (
        <div className="tile-tools">
          <span role="img" aria-label={t('boards.drag')} title={t('boards.drag')} draggable onDragStart={(event) => event.dataTransfer.setData('text/tile', String(at))} style={{ cursor: 'grab' }}>
            <HolderOutlined />
          </span>
          <Input size="small" aria-label={t('analysis.save.title')} placeholder={t('analysis.save.title')} value={tile.title} maxLength={200} style={{ width: 180 }} onChange={(event) => change({ title: event.target.value })} />
          <InputNumber size="small" aria-label={t('boards.width')} title={t('boards.width')} min={3} max={12} value={tile.width} style={{ width: 58 }} onChange={(width) => width !== null && change({ width })} />
          <InputNumber size="small" aria-label={t('boards.height')} title={t('boards.height')} min={1} max={8} value={tile.height} style={{ width: 58 }} onChange={(height) => height !== null && change({ height })} />
          <Button type="text" size="small" icon={<ArrowLeftOutlined />} disabled={at === 0} aria-label={t('boards.earlier')} onClick={() => move(at - 1)} />
          <Button type="text" size="small" icon={<ArrowRightOutlined />} disabled={at === of - 1} aria-label={t('boards.later')} onClick={() => move(at + 1)} />
          <Button type="text" size="small" icon={<DeleteOutlined />} aria-label={t('boards.remove')} onClick={remove} />
        </div>
      )}
      {tile.kind === 'text' ? (
        editing ? (
          <Input.TextArea aria-label={t('boards.text')} placeholder={t('boards.text')} value={tile.text} maxLength={10_000} autoSize={{ minRows: 2, maxRows: 12 }} onChange={(event) => change({ text: event.target.value })} />
        ) : (
          <div className="tile-text">
            {tile.title && <h2>{tile.title}</h2>}
            {tile.text.split('\n').map((line, number) => (
              <p key={number}>{line}</p>
            ))}
          </div>
        )
      ) : (
        <Answered at={at} tile={tile} everywhere={everywhere} saved={saved} />
      )}
      {editing && (
        <button type="button" className="tile-corner" aria-label={t('boards.resize')} title={t('boards.resize')} onPointerDown={resize} />
      )}
    </section>
  )
}

interface Kept {
  answer: unknown
  answered_at: string
  stale: boolean
}

function Answered({ at, tile, everywhere, saved }: { at: number; tile: Tile; everywhere: Question; saved: TileProps['saved'] }) {
  const { t } = useLanguage()
  const format = useFormat()
  const question = useMemo(() => asked(tile.question ?? {}, everywhere), [tile.question, everywhere])
  const query = useQuery({
    queryKey: ['tile', tile.kind, question, saved],
    queryFn: async ({ signal }): Promise<Kept> => {
      if (saved) return http.post<Kept>(`/boards/${saved.board}/tiles/${at}/answer`, { version: saved.version, everywhere: tidy(everywhere) }, undefined, signal)
      const { metric: key, ...rest } = question as Question & { metric: string }
      const answer = await (tile.kind === 'metric' ? http.post<unknown>(`/metrics/${key}/values`, rest, undefined, signal) : http.post<unknown>(`/query/${tile.kind}`, question, undefined, signal))
      return { answer, answered_at: new Date().toISOString(), stale: false }
    },
    // A stale answer is being worked out anew behind it.
    refetchInterval: ({ state }) => (state.data?.stale === true ? SOON : REFRESH),
    staleTime: 60_000,
    retry: false,
  })
  const title = tile.title || (isKind(tile.kind) ? t(titleOf(tile.kind)) : tile.kind)
  const scope = useMemo(() => ({ prefix: `t${at}`, title, height: Math.max(120, tile.height * ROW - 96) }), [at, title, tile.height])
  if (!isKind(tile.kind) && tile.kind !== 'metric') return null
  if (query.data === undefined) return query.error ? <ProblemView error={query.error} retry={() => void query.refetch()} /> : <Skeleton active paragraph={{ rows: tile.height * 2 }} />
  return (
    <ChartScope value={scope}>
      {isKind(tile.kind) ? <AnswerView kind={tile.kind} question={question} answer={query.data.answer} compact /> : <MetricTile answer={query.data.answer as MetricAnswer} title={tile.title} />}
      <div className="tile-foot small muted">
        {query.error ? (
          <span style={{ color: 'var(--bad)' }}>{t('boards.stale', { when: format.ago(query.data.answered_at) })}</span>
        ) : (
          <span title={format.instantFull(query.data.answered_at)} className={query.data.stale ? 'warn' : undefined}>
            {query.data.stale ? t('boards.renewing', { when: format.ago(query.data.answered_at) }) : t('boards.fresh', { when: format.instant(query.data.answered_at) })}
          </span>
        )}
        <Link to={isKind(tile.kind) ? questionAddress(tile.kind, question) : `/analysis/metrics/${(question as Question & { metric: string }).metric}`}>{t('boards.open')}</Link>
      </div>
    </ChartScope>
  )
}

/** A metric's value with what it is made of and how it moved, and its line. */
function MetricTile({ answer, title }: { answer: MetricAnswer; title: string }) {
  const unit = useUnit()
  const madeOf = useMadeOf()
  const whole = answer.series.length === 1 ? answer.series[0] : undefined
  return (
    <>
      {whole && (
        <div className="metric-tile">
          <span className="value">{unit(whole.total.value, answer.unit)}</span> <Moved now={whole.total.value} before={whole.previous?.value} good={answer.direction === 'up'} />
          <div className="small muted">{madeOf(whole.total, answer.unit)}</div>
        </div>
      )}
      <MetricChart answer={{ ...answer, name: title || answer.name }} height={140} id={answer.key} />
    </>
  )
}
