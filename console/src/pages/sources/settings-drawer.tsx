import { Alert, Button, Drawer, Form, Input, InputNumber, Select, Space, Switch } from 'antd'
import { http } from '@/api/client'
import type { Source, SourceSettings, Treatment } from '@/api/types'
import { useLanguage } from '@/i18n/language'
import { useAct } from '@/ui/use-act'

interface Fields {
  origins: string[]
  rate: number
  zone: string
  defaults: string
  merge: boolean
  ip: Treatment
  drop: string[]
  hash: string[]
  truncate: string[]
  ids: string[]
  dnt: boolean
  purposes: string[]
  consent: 'granted' | 'denied'
  minors: boolean
  basis: string
  personal: Treatment
  sensitive: Treatment
}

const treatments: Treatment[] = ['keep', 'drop', 'hash', 'truncate']
const zones = ['Asia/Shanghai', 'Asia/Hong_Kong', 'Asia/Tokyo', 'Asia/Singapore', 'Europe/London', 'Europe/Berlin', 'America/New_York', 'America/Los_Angeles']

function fieldsOf({ settings }: Source): Fields {
  // The server always gives it; the document calls it optional because it may be left out when sending.
  const privacy = settings.privacy ?? { ip: 'keep', do_not_track: 'refuse', unknown_consent: 'granted', minors: false, minors_basis: '' }
  const treated = (wanted: Treatment) => Object.entries(privacy.fields ?? {}).flatMap(([name, how]) => (how === wanted ? [name] : []))
  return {
    origins: settings.origins ?? [],
    rate: settings.events_per_second,
    zone: settings.timezone,
    defaults: Object.keys(settings.defaults ?? {}).length === 0 ? '' : JSON.stringify(settings.defaults, null, 2),
    merge: settings.may_merge,
    ip: privacy.ip,
    drop: treated('drop'),
    hash: treated('hash'),
    truncate: treated('truncate'),
    ids: privacy.hashed_ids ?? [],
    dnt: privacy.do_not_track === 'refuse',
    purposes: privacy.purposes ?? [],
    consent: privacy.unknown_consent,
    minors: privacy.minors,
    basis: privacy.minors_basis,
    personal: privacy.classes?.personal ?? 'keep',
    sensitive: privacy.classes?.sensitive ?? 'keep',
  }
}

function jsonObject(text: string): SourceSettings['defaults'] | null {
  if (text.trim() === '') return {}
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as SourceSettings['defaults']) : null
  } catch {
    return null
  }
}

function settingsOf(fields: Fields, before: SourceSettings): SourceSettings {
  const named = (names: string[], how: Treatment) => Object.fromEntries(names.map((name) => [name, how] as const))
  const classes: Record<string, Treatment> = {}
  if (fields.personal !== 'keep') classes.personal = fields.personal
  if (fields.sensitive !== 'keep') classes.sensitive = fields.sensitive
  return {
    ...before,
    origins: fields.origins,
    events_per_second: fields.rate,
    timezone: fields.zone,
    defaults: jsonObject(fields.defaults) ?? {},
    may_merge: fields.merge,
    privacy: {
      ip: fields.ip,
      fields: { ...named(fields.truncate, 'truncate'), ...named(fields.hash, 'hash'), ...named(fields.drop, 'drop') },
      hashed_ids: fields.ids,
      classes,
      do_not_track: fields.dnt ? 'refuse' : 'ignore',
      purposes: fields.purposes,
      unknown_consent: fields.consent,
      minors: fields.minors,
      minors_basis: fields.basis,
    },
  }
}

/** What is set for one source; the server checks again and names the field that is wrong. */
export function SettingsDrawer({ source, close, saved }: { source: Source; close: () => void; saved: () => Promise<unknown> }) {
  const { t } = useLanguage()
  const act = useAct()
  const [form] = Form.useForm<Fields>()
  const minors = Form.useWatch('minors', form)
  const options = treatments.map((value) => ({ value, label: t(`sources.treatment.${value}`) }))
  const words = { mode: 'tags' as const, tokenSeparators: [',', ' '], open: false, suffixIcon: null }
  async function save(fields: Fields) {
    const well = await act(() => http.put(`/sources/${source.id}/settings`, settingsOf(fields, source.settings)), t('sources.settings.saved'))
    if (!well) return
    await saved()
    close()
  }
  return (
    <Drawer
      open
      onClose={close}
      size="large"
      title={t('sources.settings.of', { name: source.name })}
      extra={
        <Space>
          <Button onClick={close}>{t('action.cancel')}</Button>
          <Button type="primary" onClick={() => form.submit()}>
            {t('action.save')}
          </Button>
        </Space>
      }
    >
      <Form form={form} layout="vertical" initialValues={fieldsOf(source)} onFinish={(fields) => void save(fields)} requiredMark={false}>
        <p className="muted">{t('sources.settings.about')}</p>
        <Form.Item name="origins" label={t('sources.origins')} extra={t('sources.origins.hint')}>
          <Select {...words} />
        </Form.Item>
        <Form.Item name="rate" label={t('sources.rate')} extra={t('sources.rate.hint')}>
          <InputNumber min={0} max={1_000_000} precision={0} style={{ width: 160 }} />
        </Form.Item>
        <Form.Item name="zone" label={t('sources.zone')}>
          <Select showSearch options={[{ value: '', label: 'UTC' }, ...zones.map((value) => ({ value, label: value }))]} style={{ maxWidth: 280 }} />
        </Form.Item>
        <Form.Item
          name="defaults"
          label={t('sources.defaults')}
          extra={t('sources.defaults.hint')}
          rules={[{ validator: (_, text: string) => (jsonObject(text) === null ? Promise.reject(new Error(t('sources.json'))) : Promise.resolve()) }]}
        >
          <Input.TextArea className="mono" autoSize={{ minRows: 2, maxRows: 8 }} />
        </Form.Item>
        <Form.Item name="merge" label={t('sources.merge')} valuePropName="checked">
          <Switch />
        </Form.Item>
        <h3>{t('sources.privacy')}</h3>
        <Form.Item name="dnt" label={t('sources.dnt')} valuePropName="checked">
          <Switch />
        </Form.Item>
        <Form.Item name="purposes" label={t('sources.purposes')}>
          <Select {...words} />
        </Form.Item>
        <Form.Item name="consent" label={t('sources.consent')}>
          <Select options={(['granted', 'denied'] as const).map((value) => ({ value, label: t(`sources.consent.${value}`) }))} style={{ maxWidth: 280 }} />
        </Form.Item>
        <Form.Item name="ip" label={t('sources.ip')}>
          <Select options={options} style={{ maxWidth: 280 }} />
        </Form.Item>
        <Form.Item name="drop" label={t('sources.drop')}>
          <Select {...words} />
        </Form.Item>
        <Form.Item name="hash" label={t('sources.hash')}>
          <Select {...words} />
        </Form.Item>
        <Form.Item name="truncate" label={t('sources.truncate')}>
          <Select {...words} />
        </Form.Item>
        <Form.Item name="ids" label={t('sources.ids')}>
          <Select {...words} />
        </Form.Item>
        <Form.Item name="personal" label={t('sources.classes.personal')}>
          <Select options={options} style={{ maxWidth: 280 }} />
        </Form.Item>
        <Form.Item name="sensitive" label={t('sources.classes')}>
          <Select options={options} style={{ maxWidth: 280 }} />
        </Form.Item>
        <Form.Item name="minors" label={t('sources.minors')} valuePropName="checked">
          <Switch />
        </Form.Item>
        <Form.Item name="basis" label={t('sources.minors.basis')} hidden={!minors}>
          <Input maxLength={500} />
        </Form.Item>
        {minors && <Alert type="warning" showIcon title={t('sources.minors.basis')} />}
      </Form>
    </Drawer>
  )
}
