import { DownloadOutlined, EditOutlined, FullscreenOutlined, MailOutlined, ReloadOutlined } from '@ant-design/icons'
import { useQuery, useQueryClient } from '@tanstack/react-query'
import { Button, Input, Popover } from 'antd'
import { useEffect, useMemo, useRef, useState } from 'react'
import { useParams } from 'react-router'
import { FieldEditor } from '@/analysis/editors/field-editor'
import { COMMON, labelOf, type Question } from '@/analysis/kinds'
import { tidy } from '@/analysis/question'
import { useNames } from '@/analysis/use-names'
import { fieldWords } from '@/analysis/words'
import { download, http } from '@/api/client'
import type { Board, SegmentList, Tile } from '@/api/types'
import { useFormat } from '@/format/use-format'
import { useLanguage } from '@/i18n/language'
import { useCan } from '@/shell/session'
import { EmptyState } from '@/ui/empty'
import { Loaded } from '@/ui/loaded'
import { Page, Panel } from '@/ui/page'
import { useAct } from '@/ui/use-act'
import { useUrlState } from '@/url/use-url-state'
import { AddTile } from './add-tile'
import { SendDrawer } from './send-drawer'
import { TileView } from './tile'

const EVERYWHERE = COMMON.sentence.filter((field) => field.name !== 'breakdown')

export default function BoardPage() {
  const { id = '' } = useParams()
  const query = useQuery({ queryKey: ['boards', id], queryFn: ({ signal }) => http.get<Board>(`/boards/${id}`, undefined, signal) })
  return (
    <Loaded query={query} rows={8}>
      {(board) => <Shown key={`${board.id}:${board.version}`} board={board} />}
    </Loaded>
  )
}

function Shown({ board }: { board: Board }) {
  const { t } = useLanguage()
  const format = useFormat()
  const can = useCan()
  const act = useAct()
  const url = useUrlState()
  const client = useQueryClient()
  const names = useNames()
  const area = useRef<HTMLDivElement>(null)
  const editing = url.get('edit') === '1' && can('analyst')
  const [title, setTitle] = useState(board.title)
  const [tiles, setTiles] = useState<Tile[]>(board.tiles)
  const [everywhere, setEverywhere] = useState<Question>(board.everywhere as Question)
  const [saving, setSaving] = useState(false)
  const segments = useQuery({ queryKey: ['segments'], queryFn: ({ signal }) => http.get<SegmentList>('/segments', undefined, signal) })
  const options = useMemo(() => (segments.data?.segments ?? []).map((one) => ({ value: one.key, label: one.name })), [segments.data])
  const dirty = title !== board.title || tiles !== board.tiles || JSON.stringify(tidy(everywhere)) !== JSON.stringify(tidy(board.everywhere))

  useEffect(() => {
    if (!dirty) return
    const warn = (event: BeforeUnloadEvent) => event.preventDefault()
    window.addEventListener('beforeunload', warn)
    return () => window.removeEventListener('beforeunload', warn)
  }, [dirty])

  async function save() {
    setSaving(true)
    const done = await act(async () => {
      await http.put<Board>(`/boards/${board.id}`, { title, about: board.about, tiles, everywhere: tidy(everywhere), version: board.version })
      await client.invalidateQueries({ queryKey: ['boards'] })
    }, t('boards.saved'))
    setSaving(false)
    if (done) url.set({ edit: null })
  }
  const change = (at: number, part: Partial<Tile>) => setTiles(tiles.map((one, number) => (number === at ? { ...one, ...part } : one)))
  const move = (from: number, to: number) => {
    if (to < 0 || to >= tiles.length || from === to) return
    const next = [...tiles]
    next.splice(to, 0, ...next.splice(from, 1))
    setTiles(next)
  }
  const known = names.data ?? { events: [], properties: [], context: [], traits: [] }
  return (
    <Page
      title={title}
      about={board.about || undefined}
      asOf={t('boards.changed', { by: board.by, when: format.ago(board.changed_at) })}
      actions={
        <>
          {editing ? (
            <>
              <Button onClick={() => { setTiles(board.tiles); setTitle(board.title); setEverywhere(board.everywhere); url.set({ edit: null }) }}>{t('action.cancel')}</Button>
              <Button type="primary" loading={saving} disabled={!dirty} onClick={() => void save()}>
                {t('action.save')}
              </Button>
            </>
          ) : (
            <>
              {dirty && can('analyst') && (
                <Button type="primary" loading={saving} onClick={() => void save()}>
                  {t('action.save')}
                </Button>
              )}
              <Button icon={<ReloadOutlined />} aria-label={t('boards.refresh')} title={t('boards.refresh')} onClick={() => void client.invalidateQueries({ queryKey: ['tile'] })} />
              <Button icon={<FullscreenOutlined />} onClick={() => void area.current?.requestFullscreen()}>
                {t('boards.tv')}
              </Button>
              <Button icon={<DownloadOutlined />} onClick={() => void act(() => download('GET', `/boards/${board.id}/file`, 'board.pdf', { query: { format: 'pdf' } }))}>
                {t('boards.pdf')}
              </Button>
              {can('analyst') && (
                <Button icon={<MailOutlined />} onClick={() => url.set({ send: 1 })}>
                  {t('boards.send')}
                </Button>
              )}
              {can('analyst') && (
                <Button icon={<EditOutlined />} onClick={() => url.set({ edit: 1 })}>
                  {t('boards.edit')}
                </Button>
              )}
            </>
          )}
        </>
      }
    >
      <Panel label={t('boards.everywhere')}>
        {editing && <Input aria-label={t('analysis.save.title')} value={title} maxLength={200} status={title.trim() === '' ? 'error' : ''} onChange={(event) => setTitle(event.target.value)} style={{ maxWidth: 420, marginBottom: 10 }} />}
        <p className="sentence" style={{ marginBottom: 0 }}>
          {EVERYWHERE.map((field) => (
            <Popover key={field.name} trigger="click" placement="bottomLeft" title={t(labelOf(field))} styles={{ container: { maxWidth: 'min(560px, 94vw)', maxHeight: '70vh', overflow: 'auto' } }} content={<FieldEditor field={field} question={everywhere} set={(value) => setEverywhere(tidy({ ...everywhere, [field.name]: value }))} names={known} segments={options} />}>
              <button type="button" className="part" style={{ marginInlineEnd: 8 }}>
                {t(labelOf(field))}{t('colon')}{everywhere[field.name] === undefined ? t('boards.own') : fieldWords(field, everywhere, t, (key) => options.find((one) => one.value === key)?.label ?? key)}
              </button>
            </Popover>
          ))}
        </p>
      </Panel>
      {tiles.length === 0 && !editing && (
        <Panel>
          <EmptyState picture="layers" title={t('boards.empty')}>
            {t('boards.empty.about')}
          </EmptyState>
        </Panel>
      )}
      <div ref={area} className="board">
        {tiles.map((tile, at) => (
          <TileView key={at} at={at} of={tiles.length} tile={tile} everywhere={everywhere} saved={tiles === board.tiles ? { board: board.id, version: board.version } : null} editing={editing} change={(part) => change(at, part)} move={(to) => move(at, to)} drop={(from) => move(from, at)} remove={() => setTiles(tiles.filter((_, number) => number !== at))} />
        ))}
      </div>
      {url.get('send') === '1' && can('analyst') && <SendDrawer board={board.id} close={() => url.set({ send: null })} />}
      {editing && <AddTile names={known} add={(tile) => setTiles([...tiles, tile])} full={tiles.length >= 60} />}
    </Page>
  )
}
