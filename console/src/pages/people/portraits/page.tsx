import { useQuery } from '@tanstack/react-query'
import { Button } from 'antd'
import { useState } from 'react'
import { http } from '@/api/client'
import type { ChannelPortrait, PortraitReport } from '@/api/types'
import { useFormat } from '@/format/use-format'
import { useLanguage } from '@/i18n/language'
import { useCan } from '@/shell/session'
import { DataTable } from '@/ui/data-table'
import { EmptyState } from '@/ui/empty'
import { Loaded } from '@/ui/loaded'
import { Page, Panel } from '@/ui/page'
import { ShareBar } from '@/ui/share-bar'
import { Stats } from '@/ui/stats'
import { FieldsDrawer } from './fields-drawer'

type Field = PortraitReport['fields'][number]

/** How much we know of people: over all, field by field, and by the channels they are known in. */
export default function PortraitsPage() {
  const { t } = useLanguage()
  const format = useFormat()
  const can = useCan()
  const [choosing, setChoosing] = useState(false)
  const query = useQuery({ queryKey: ['portraits'], queryFn: ({ signal }) => http.get<PortraitReport>('/portraits', undefined, signal) })
  const report = query.data
  return (
    <Page
      title={t('portraits.title')}
      about={t('portraits.about')}
      asOf={report && t('portraits.at', { at: format.instant(report.at) })}
      actions={report && can('operator') && <Button onClick={() => setChoosing(true)}>{t('portraits.choose')}</Button>}
    >
      <Loaded query={query} rows={8}>
        {(data) =>
          data.people === 0 ? (
            <EmptyState picture="people" title={t('people.empty')}>
                {t('people.empty.about')}
              </EmptyState>
          ) : (
            <>
              <Stats
                label={t('portraits.title')}
                items={[
                  { key: 'people', label: t('portraits.people'), value: format.count(data.people) },
                  { key: 'share', label: t('portraits.completeness'), value: format.percent(data.completeness, 1), detail: t('portraits.completeness.detail', { n: data.fields.length }) },
                  { key: 'several', label: t('portraits.several'), value: format.percent(data.several / data.people, 1), detail: format.ratio(data.several, data.people) },
                ]}
              />
              <Panel title={t('portraits.fields')} about={t('portraits.fields.about')} flush>
                <DataTable<Field>
                  size="small"
                  rowKey="name"
                  dataSource={data.fields}
                  pagination={false}
                  columns={[
                    { title: t('portraits.field'), dataIndex: 'name' },
                    { title: t('portraits.weight'), align: 'right', render: (_, one) => format.decimal(one.weight, 2) },
                    { title: t('portraits.known'), align: 'right', render: (_, one) => format.ratio(one.known, data.people) },
                    { title: t('portraits.share'), width: '40%', render: (_, one) => <ShareBar share={one.known / data.people} text={format.percent(one.known / data.people, 1)} /> },
                  ]}
                />
              </Panel>
              <Panel title={t('portraits.channels')} about={t('portraits.channels.about')} flush>
                <DataTable<ChannelPortrait>
                  size="small"
                  rowKey="channel"
                  dataSource={data.channels}
                  pagination={false}
                  scroll={{ x: 860 }}
                  columns={[
                    { title: t('portraits.channel'), dataIndex: 'channel' },
                    { title: t('portraits.people'), align: 'right', render: (_, one) => format.ratio(one.people, data.people) },
                    { title: t('portraits.completeness'), width: 170, render: (_, one) => <ShareBar share={one.completeness} text={format.percent(one.completeness, 1)} /> },
                    ...data.fields.map((field, at) => ({
                      title: field.name,
                      key: field.name,
                      align: 'right' as const,
                      render: (_: unknown, one: ChannelPortrait) => {
                        const known = one.fields[at]?.known ?? 0
                        return <span title={format.ratio(known, one.people)}>{format.percent(one.people > 0 ? known / one.people : null, 0)}</span>
                      },
                    })),
                  ]}
                />
              </Panel>
              <Panel title={t('portraits.in')} flush>
                <DataTable<PortraitReport['known_in'][number]>
                  size="small"
                  rowKey="channels"
                  dataSource={data.known_in}
                  pagination={false}
                  columns={[
                    { title: t('portraits.in.channels'), render: (_, one) => t('portraits.in.n', { n: one.channels }) },
                    { title: t('portraits.people'), align: 'right', render: (_, one) => format.ratio(one.people, data.people) },
                    { title: t('portraits.share'), width: '40%', render: (_, one) => <ShareBar share={one.people / data.people} text={format.percent(one.people / data.people, 1)} /> },
                  ]}
                />
              </Panel>
              {choosing && <FieldsDrawer fields={data.fields} close={() => setChoosing(false)} />}
            </>
          )
        }
      </Loaded>
    </Page>
  )
}
