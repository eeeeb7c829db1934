import { DeleteOutlined, PlusOutlined } from '@ant-design/icons'
import { useQueryClient } from '@tanstack/react-query'
import { Button, Drawer, Input, InputNumber } from 'antd'
import { useState } from 'react'
import { http } from '@/api/client'
import { useLanguage } from '@/i18n/language'
import { useAct } from '@/ui/use-act'

interface Line {
  key: number
  name: string
  weight: number | null
}

/** Which fields a complete portrait has, and how much each counts. */
export function FieldsDrawer({ fields, close }: { fields: { name: string; weight: number }[]; close: () => void }) {
  const { t } = useLanguage()
  const act = useAct()
  const client = useQueryClient()
  const [lines, setLines] = useState<Line[]>(() => fields.map((one, key) => ({ key, name: one.name, weight: one.weight })))
  const [next, setNext] = useState(fields.length)
  const [saving, setSaving] = useState(false)
  const names = lines.map((one) => one.name.trim())
  const wrong = (line: Line) => {
    if (!line.name.trim()) return t('portraits.field.empty')
    if (names.filter((name) => name === line.name.trim()).length > 1) return t('portraits.field.twice')
    return line.weight === null || line.weight <= 0 || line.weight > 100 ? t('portraits.weight.wrong') : null
  }
  const change = (key: number, part: Partial<Line>) => setLines((all) => all.map((one) => (one.key === key ? { ...one, ...part } : one)))

  async function save(chosen: { name: string; weight: number | null }[]) {
    setSaving(true)
    const saved = await act(async () => {
      await http.put('/portraits/fields', { fields: chosen })
      await client.invalidateQueries({ queryKey: ['portraits'] })
    }, t('portraits.saved'))
    setSaving(false)
    if (saved) close()
  }
  return (
    <Drawer
      open
      onClose={close}
      title={t('portraits.choose')}
      size={460}
      footer={
        <div className="row" style={{ justifyContent: 'space-between' }}>
          <Button onClick={() => void save([])} disabled={saving}>
            {t('portraits.usual')}
          </Button>
          <Button
            type="primary"
            loading={saving}
            disabled={lines.length === 0 || lines.some((one) => wrong(one) !== null)}
            onClick={() => void save(lines.map((one) => ({ name: one.name.trim(), weight: one.weight })))}
          >
            {t('action.save')}
          </Button>
        </div>
      }
    >
      <p className="muted">{t('portraits.choose.about')}</p>
      {lines.map((line) => {
        const problem = wrong(line)
        return (
          <div key={line.key} style={{ marginBottom: 10 }}>
            <div className="row" style={{ gap: 8, flexWrap: 'nowrap' }}>
              <Input aria-label={t('portraits.field')} value={line.name} maxLength={200} status={problem ? 'error' : ''} onChange={(event) => change(line.key, { name: event.target.value })} />
              <InputNumber aria-label={t('portraits.weight')} value={line.weight} min={0.1} max={100} step={0.5} onChange={(weight) => change(line.key, { weight })} />
              <Button type="text" icon={<DeleteOutlined />} aria-label={t('portraits.remove', { name: line.name })} onClick={() => setLines((all) => all.filter((one) => one.key !== line.key))} />
            </div>
            {problem && <div className="small" style={{ color: 'var(--bad)' }} role="alert">{problem}</div>}
          </div>
        )
      })}
      <Button
        icon={<PlusOutlined />}
        disabled={lines.length >= 40}
        onClick={() => {
          setLines((all) => [...all, { key: next, name: '', weight: 1 }])
          setNext(next + 1)
        }}
      >
        {t('portraits.add')}
      </Button>
    </Drawer>
  )
}
