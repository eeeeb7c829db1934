import { DownloadOutlined } from '@ant-design/icons'
import { Button, Dropdown } from 'antd'
import { useState } from 'react'
import { download, type Query } from '@/api/client'
import { useLanguage } from '@/i18n/language'
import { useAct } from './use-act'

interface ExportButtonProps {
  path: string
  name: string
  method?: 'GET' | 'POST'
  query?: Query
  body?: unknown
  size?: 'small' | 'middle'
  label?: string
}

/** CSV or Excel, fetched with the session and saved under the server's name for it. */
export function ExportButton({ path, name, method = 'GET', query, body, size = 'middle', label }: ExportButtonProps) {
  const { t } = useLanguage()
  const act = useAct()
  const [busy, setBusy] = useState(false)

  async function save(format: 'csv' | 'xlsx') {
    setBusy(true)
    await act(() => download(method, path, `${name}.${format}`, { query: { ...query, format }, ...(method === 'POST' ? { body } : {}) }), t('export.done'))
    setBusy(false)
  }
  return (
    <Dropdown
      trigger={['click']}
      menu={{
        items: [
          { key: 'csv', label: 'CSV' },
          { key: 'xlsx', label: 'Excel (.xlsx)' },
        ],
        onClick: ({ key }) => void save(key === 'xlsx' ? 'xlsx' : 'csv'),
      }}
    >
      <Button icon={<DownloadOutlined />} loading={busy} size={size}>
        {label ?? t('export.button')}
      </Button>
    </Dropdown>
  )
}
