import { FileTextOutlined } from '@ant-design/icons'
import { Button, Tooltip } from 'antd'
import { saveBlob } from '@/api/client'
import { toCsv, type Cell } from '@/format/csv'
import { useLanguage } from '@/i18n/language'

/** Saves what stands beside it as a CSV file of that name; rows are made when they are asked for. */
export function CsvButton({ name, header, rows }: { name: string; header: string[]; rows: () => Cell[][] }) {
  const { t } = useLanguage()
  return (
    <Tooltip title={t('chart.csv')}>
      <Button type="text" size="small" aria-label={t('chart.csv')} icon={<FileTextOutlined />} onClick={() => saveBlob(new Blob([toCsv(header, rows())], { type: 'text/csv;charset=utf-8' }), `${name}.csv`)} />
    </Tooltip>
  )
}
