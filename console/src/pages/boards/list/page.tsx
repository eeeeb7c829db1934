import { DeleteOutlined, PlusOutlined } from '@ant-design/icons'
import { useQuery, useQueryClient } from '@tanstack/react-query'
import { App, Button } from 'antd'
import { Link, useNavigate } from 'react-router'
import { useNames } from '@/analysis/use-names'
import { http } from '@/api/client'
import type { Board, BoardList, ListedBoard, Tile } from '@/api/types'
import { useFormat } from '@/format/use-format'
import { useLanguage } from '@/i18n/language'
import { useCan } from '@/shell/session'
import { DataTable } from '@/ui/data-table'
import { EmptyState } from '@/ui/empty'
import { Loaded } from '@/ui/loaded'
import { Page, Panel } from '@/ui/page'
import { useAct } from '@/ui/use-act'
import { aarrr } from '../templates'

export default function BoardsPage() {
  const { t } = useLanguage()
  const format = useFormat()
  const can = useCan()
  const act = useAct()
  const client = useQueryClient()
  const navigate = useNavigate()
  const names = useNames()
  const { modal } = App.useApp()
  const query = useQuery({ queryKey: ['boards'], queryFn: ({ signal }) => http.get<BoardList>('/boards', undefined, signal) })

  async function make(title: string, tiles: Tile[]) {
    await act(async () => {
      const made = await http.post<Board>('/boards', { title, tiles, everywhere: { range: { last: '90d' } } })
      await client.invalidateQueries({ queryKey: ['boards'] })
      void navigate(`/analysis/boards/${made.id}${tiles.length === 0 ? '?edit=1' : ''}`)
    })
  }
  function remove(one: ListedBoard) {
    void modal.confirm({
      title: t('analysis.remove.title', { title: one.title }),
      content: t('boards.remove.about'),
      okText: t('analysis.remove'),
      okButtonProps: { danger: true },
      cancelText: t('action.cancel'),
      onOk: () =>
        act(async () => {
          await http.delete(`/boards/${one.id}`)
          await client.invalidateQueries({ queryKey: ['boards'] })
        }, t('analysis.removed')),
    })
  }
  const buttons = can('analyst') && (
    <>
      <Button icon={<PlusOutlined />} onClick={() => void make(t('boards.new.title'), [])}>
        {t('boards.new')}
      </Button>
      <Button type="primary" disabled={!names.data || names.data.events.length === 0} onClick={() => names.data && void make(t('boards.aarrr'), aarrr(names.data, t))}>
        {t('boards.new.aarrr')}
      </Button>
    </>
  )
  return (
    <Page title={t('boards.title')} about={t('boards.about')} actions={buttons}>
      <Loaded query={query} rows={5}>
        {(data) =>
          data.boards.length === 0 ? (
            <Panel>
              <EmptyState picture="layers" title={t('boards.none')}>
                {t('boards.none.about')}
              </EmptyState>
            </Panel>
          ) : (
            <Panel label={t('boards.title')} flush>
              <DataTable<ListedBoard>
                size="small"
                rowKey="id"
                dataSource={data.boards}
                pagination={false}
                scroll={{ x: 640 }}
                columns={[
                  { title: t('analysis.save.title'), render: (_, one) => <Link to={`/analysis/boards/${one.id}`}>{one.title}</Link> },
                  { title: t('boards.tiles'), align: 'right', render: (_, one) => format.count(one.tiles) },
                  { title: t('analysis.saved.by'), dataIndex: 'by' },
                  { title: t('analysis.saved.when'), render: (_, one) => <span title={format.instantFull(one.changed_at)}>{format.ago(one.changed_at)}</span> },
                  { title: '', width: 56, render: (_, one) => can('analyst') && <Button type="text" size="small" icon={<DeleteOutlined />} aria-label={t('analysis.remove.title', { title: one.title })} onClick={() => remove(one)} /> },
                ]}
              />
            </Panel>
          )
        }
      </Loaded>
    </Page>
  )
}
