import { Button } from 'antd'
import type { Order, OrderLine } from '@/api/types'
import { useFormat } from '@/format/use-format'
import { useLanguage } from '@/i18n/language'
import { DataTable } from '@/ui/data-table'
import { EmptyState } from '@/ui/empty'
import { Loaded } from '@/ui/loaded'
import { Pill } from '@/ui/pill'
import { useOrders } from '../queries'

export function OrdersTab({ id }: { id: string }) {
  const { t } = useLanguage()
  const format = useFormat()
  const orders = useOrders(id)
  return (
    <Loaded query={orders} rows={6}>
      {(data) => {
        const rows = data.pages.flatMap((page) => page.orders)
        if (rows.length === 0) return <EmptyState picture="table" title={t('person.orders.none')} />
        return (
          <>
            <DataTable<Order>
              rowKey={(order) => `${order.kind} ${order.order_id ?? ''} ${order.ts}`}
              size="middle"
              dataSource={rows}
              pagination={false}
              scroll={{ x: 640 }}
              expandable={{ columnTitle: <span className="sr">{t('person.order.lines')}</span>, rowExpandable: (order) => order.items.length > 0, expandedRowRender: (order) => <Lines order={order} /> }}
              columns={[
                { title: t('person.order'), render: (_, order) => <span className="mono nowrap">{order.order_id ?? <span className="muted">{t('person.order.none')}</span>}</span> },
                { title: <span className="sr">{t('imports.col.kind')}</span>, width: 90, render: (_, order) => <Pill tone={order.kind === 'refund' ? 'warn' : 'good'}>{t(`person.order.${order.kind}`)}</Pill> },
                { title: t('person.order.time', { zone: format.place.timezone }), render: (_, order) => <span className="num">{format.instant(order.ts)}</span> },
                { title: t('person.order.where'), render: (_, order) => [order.channel, order.store].filter(Boolean).join(' / ') || '—' },
                { title: t('person.order.lines'), align: 'right', render: (_, order) => format.count(order.items.length) },
                { title: t('person.order.amount'), align: 'right', render: (_, order) => <span className={order.kind === 'refund' ? 'num warn' : 'num'}>{order.kind === 'refund' ? `−${format.money(order.amount)}` : format.money(order.amount)}</span> },
              ]}
            />
            {orders.hasNextPage && (
              <div style={{ padding: 16, textAlign: 'center' }}>
                <Button loading={orders.isFetchingNextPage} onClick={() => void orders.fetchNextPage()}>
                  {t('action.more')}
                </Button>
              </div>
            )}
          </>
        )
      }}
    </Loaded>
  )
}

function Lines({ order }: { order: Order }) {
  const { t } = useLanguage()
  const format = useFormat()
  return (
    <DataTable<OrderLine>
      size="small"
      rowKey={(line) => `${line.product ?? ''} ${line.amount} ${line.quantity ?? ''}`}
      dataSource={order.items}
      pagination={order.items.length > 50 ? { pageSize: 50, showSizeChanger: false } : false}
      columns={[
        {
          title: t('person.line.product'),
          render: (_, line) => (
            <>
              {line.name ?? line.product ?? '—'}
              {line.name && line.product && line.name !== line.product && <span className="small muted"> {line.product}</span>}
            </>
          ),
        },
        { title: t('person.line.quantity'), align: 'right', render: (_, line) => format.decimal(line.quantity) },
        { title: t('person.line.price'), align: 'right', render: (_, line) => (line.price === null ? '—' : format.decimal(Number(line.price), 4)) },
        { title: t('person.order.amount'), align: 'right', render: (_, line) => format.money(line.amount, order.amount.currency) },
      ]}
    />
  )
}
