import { CodeOutlined } from '@ant-design/icons'
import { Button, Modal, Tabs, Typography } from 'antd'
import { useState } from 'react'
import { API } from '@/api/client'
import { useLanguage } from '@/i18n/language'
import { commandOf, pythonLiteral, shellQuoted } from './code-text'

/** The page's question as JSON, curl, Python and a command, to ask it from elsewhere. */
export function AsCode({ path, body, size }: { path: string; body: unknown; size?: 'small' | 'middle' }) {
  const { t } = useLanguage()
  const [open, setOpen] = useState(false)
  const address = `${location.origin}${API}${path}`
  const texts = {
    json: JSON.stringify(body, null, 2),
    curl: `curl -X POST ${address} \\\n  -H "Authorization: Bearer $TILTH_TOKEN" \\\n  -H 'Content-Type: application/json' \\\n  -d ${shellQuoted(JSON.stringify(body))}`,
    python: `import os\n\nimport httpx\n\nanswer = httpx.post(\n    ${JSON.stringify(address)},\n    headers={"Authorization": f"Bearer {os.environ['TILTH_TOKEN']}"},\n    json=${pythonLiteral(body, '    ')},\n    timeout=300,\n).raise_for_status().json()`,
  }
  const command = commandOf(path, body)
  const kinds = [...(['json', 'curl', 'python'] as const), ...(command === null ? [] : (['cli'] as const))]
  const textOf = (kind: (typeof kinds)[number]) => (kind === 'cli' ? (command ?? '') : texts[kind])
  return (
    <>
      <Button icon={<CodeOutlined />} size={size ?? 'middle'} onClick={() => setOpen(true)}>
        {t('code.button')}
      </Button>
      <Modal open={open} title={t('code.title')} footer={null} onCancel={() => setOpen(false)} width={640}>
        <p className="small muted">{t('code.about')}</p>
        <Tabs
          size="small"
          items={kinds.map((kind) => ({
            key: kind,
            label: { json: 'JSON', curl: 'curl', python: 'Python', cli: 'tilth' }[kind],
            children: (
              <Typography.Paragraph copyable={{ text: textOf(kind) }} style={{ marginBottom: 0 }}>
                <pre className="mono snippet">{textOf(kind)}</pre>
              </Typography.Paragraph>
            ),
          }))}
        />
      </Modal>
    </>
  )
}
