import { useMutation } from '@tanstack/react-query'
import { Button, Drawer, Form, Input, InputNumber, Select, Space } from 'antd'
import { http } from '@/api/client'
import type { Pull, PullLook } from '@/api/types'
import { useLanguage } from '@/i18n/language'
import { ProblemView } from '@/ui/problem'
import { useAct } from '@/ui/use-act'

type Place = Record<string, string | number | null | undefined>
interface Fields {
  key: string
  title?: string
  source?: string
  kind: Pull['connection']['kind']
  place: Place
  secret?: string
  every?: number | null
  rules: string
}
const kinds = ['sql', 'folder', 's3'] as const
// What each kind of place has; the first are needed.
const names = {
  sql: ['url', 'mark', 'key', 'table', 'query', 'overlap'],
  folder: ['path', 'pattern', 'settle'],
  s3: ['bucket', 'prefix', 'pattern', 'endpoint', 'region', 'access_key'],
} as const
const starter = [{ event: 'purchase', event_id: ['order-', '$.id'], person: '$.customer_id', at: '$.updated_at', properties: { order_id: '$.id', amount: '$.amount' } }]

function parsed(text: string): unknown {
  try {
    return JSON.parse(text) as unknown
  } catch {
    return undefined
  }
}

/** A pull made or changed; the connection can be tried before it is kept. */
export function PullDrawer({ pull, folders, close, saved }: { pull: Pull | undefined; folders: string[]; close: () => void; saved: () => Promise<unknown> }) {
  const { t } = useLanguage()
  const act = useAct()
  const [form] = Form.useForm<Fields>()
  const kind = Form.useWatch('kind', form)
  const required = [{ required: true, message: t('signin.required') }]
  const isJson = { validator: (_: unknown, text: string) => (parsed(text) === undefined ? Promise.reject(new Error(`${t('connectors.rules.json')} ${t('connectors.json.bad')}`)) : Promise.resolve()) }

  function connection(fields: Fields) {
    const held = names[fields.kind].map((name) => [name, fields.place[name]] as const).filter(([, value]) => value !== undefined && value !== null && value !== '')
    return { kind: fields.kind, ...Object.fromEntries(held) }
  }
  const look = useMutation({
    mutationFn: (fields: Fields) => http.post<PullLook>('/pulls/preview', { connection: connection(fields), secret: fields.secret ?? '', rules: parsed(fields.rules), key: pull?.key }),
  })
  async function save(fields: Fields) {
    const every = fields.every ?? 0
    const common = { connection: connection(fields), rules: parsed(fields.rules), ...(fields.title ? { title: fields.title } : {}), ...(fields.source ? { source: fields.source } : {}), ...(fields.secret ? { secret: fields.secret } : {}) }
    const well = pull
      ? await act(() => http.patch(`/pulls/${encodeURIComponent(pull.key)}`, { ...common, every_minutes: every }), t('pulls.saved'))
      : await act(() => http.post('/pulls', { ...common, key: fields.key, ...(every ? { every_minutes: every } : {}) }), t('pulls.created'))
    if (!well) return
    await saved()
    close()
  }
  async function preview() {
    const fields = await form.validateFields().catch(() => null)
    if (fields) look.mutate(fields)
  }
  const secretLabel = kind === 's3' ? t('pulls.secret.s3') : t('pulls.secret.sql')
  return (
    <Drawer
      open
      size="large"
      onClose={close}
      title={pull ? t('pulls.edit.of', { name: pull.title }) : t('pulls.add')}
      extra={
        <Space>
          <Button onClick={close}>{t('action.cancel')}</Button>
          <Button type="primary" onClick={() => form.submit()}>
            {t('action.save')}
          </Button>
        </Space>
      }
    >
      <Form<Fields>
        form={form}
        layout="vertical"
        requiredMark={false}
        onFinish={(fields) => void save(fields)}
        initialValues={{
          key: pull?.key,
          title: pull?.title,
          source: pull?.source,
          kind: pull?.connection.kind ?? 'sql',
          place: pull ? { ...pull.connection } : { pattern: '*', settle: 3, overlap: 0 },
          every: pull ? pull.every_minutes : 15,
          rules: JSON.stringify(pull?.rules ?? starter, null, 2),
        }}
      >
        <Form.Item name="key" label={t('pulls.key.label')} rules={[...required, { pattern: /^[A-Za-z0-9_.-]+$/, message: t('connectors.name.rule') }]}>
          <Input maxLength={100} disabled={pull !== undefined} />
        </Form.Item>
        <Form.Item name="title" label={t('pulls.title')}>
          <Input maxLength={200} />
        </Form.Item>
        <Form.Item name="source" label={t('pulls.source')} extra={t('pulls.source.hint')}>
          <Input maxLength={100} />
        </Form.Item>
        <Form.Item name="kind" label={t('pulls.kind')}>
          <Select options={kinds.map((value) => ({ value, label: t(`pulls.kind.${value}`) }))} />
        </Form.Item>
        {kind === 'sql' && (
          <>
            <Form.Item name={['place', 'url']} label={t('pulls.url')} extra={t('pulls.url.hint')} rules={required}>
              <Input maxLength={500} placeholder="postgresql://reader@db.example/shop" spellCheck={false} />
            </Form.Item>
            <Form.Item name={['place', 'table']} label={t('pulls.table')}>
              <Input maxLength={500} spellCheck={false} />
            </Form.Item>
            <Form.Item name={['place', 'query']} label={t('pulls.query')}>
              <Input.TextArea className="mono" autoSize={{ minRows: 2, maxRows: 10 }} spellCheck={false} />
            </Form.Item>
            <Form.Item name={['place', 'mark']} label={t('pulls.mark.column')} extra={t('pulls.mark.hint')} rules={required}>
              <Input maxLength={500} spellCheck={false} />
            </Form.Item>
            <Form.Item name={['place', 'key']} label={t('pulls.key.column')} extra={t('pulls.key.hint')} rules={required}>
              <Input maxLength={500} spellCheck={false} />
            </Form.Item>
            <Form.Item name={['place', 'overlap']} label={t('pulls.overlap')} extra={t('pulls.overlap.hint')}>
              <InputNumber min={0} max={2_678_400} />
            </Form.Item>
          </>
        )}
        {kind === 'folder' && (
          <Form.Item name={['place', 'path']} label={t('pulls.path')} extra={t('pulls.path.hint', { folders: folders.join(', ') || '—' })} rules={required}>
            <Input maxLength={500} spellCheck={false} />
          </Form.Item>
        )}
        {kind === 's3' && (
          <>
            <Form.Item name={['place', 'bucket']} label={t('pulls.bucket')} rules={required}>
              <Input maxLength={500} spellCheck={false} />
            </Form.Item>
            <Form.Item name={['place', 'prefix']} label={t('pulls.prefix')}>
              <Input maxLength={500} spellCheck={false} />
            </Form.Item>
            <Form.Item name={['place', 'endpoint']} label={t('pulls.endpoint')} extra={t('pulls.endpoint.hint')}>
              <Input maxLength={500} placeholder="https://minio.example:9000" spellCheck={false} />
            </Form.Item>
            <Form.Item name={['place', 'region']} label={t('pulls.region')}>
              <Input maxLength={500} spellCheck={false} />
            </Form.Item>
            <Form.Item name={['place', 'access_key']} label={t('pulls.access')} extra={t('pulls.access.hint')}>
              <Input maxLength={500} autoComplete="off" spellCheck={false} />
            </Form.Item>
          </>
        )}
        {kind !== 'sql' && (
          <Form.Item name={['place', 'pattern']} label={t('pulls.pattern')}>
            <Input maxLength={500} spellCheck={false} />
          </Form.Item>
        )}
        {kind === 'folder' && (
          <Form.Item name={['place', 'settle']} label={t('pulls.settle')} extra={t('pulls.settle.hint')}>
            <InputNumber min={0} max={60} />
          </Form.Item>
        )}
        {kind !== 'folder' && (
          <Form.Item name="secret" label={secretLabel} extra={pull?.has_secret ? t('pulls.secret.kept') : t('pulls.secret.hint')}>
            <Input.Password autoComplete="new-password" maxLength={500} />
          </Form.Item>
        )}
        <Form.Item name="every" label={t('pulls.every.label')} extra={t('pulls.every.hint')}>
          <InputNumber min={1} max={44_640} />
        </Form.Item>
        <Form.Item name="rules" label={t('connectors.rules.json')} extra={t('pulls.rules.hint')} rules={[isJson]}>
          <Input.TextArea className="mono" autoSize={{ minRows: 8, maxRows: 24 }} spellCheck={false} />
        </Form.Item>
      </Form>
      <Button onClick={() => void preview()} loading={look.isPending}>
        {t('pulls.try')}
      </Button>
      <section aria-label={t('pulls.seen')} aria-live="polite" style={{ marginTop: 16 }}>
        {look.error ? <ProblemView error={look.error} /> : look.data && <Seen look={look.data} />}
      </section>
    </Drawer>
  )
}

function Seen({ look }: { look: PullLook }) {
  const { t } = useLanguage()
  return (
    <>
      {look.files.length > 0 && <p className="small">{t('pulls.seen.files', { names: look.files.join(', ') })}</p>}
      <h3>{t('pulls.seen.rows', { n: look.rows.length })}</h3>
      {look.rows.length === 0 && <p className="muted">{t('pulls.seen.none')}</p>}
      <Documents of={look.rows} />
      <h3>{t('pulls.seen.events', { n: look.events.length })}</h3>
      <Documents of={look.events} />
      <ul className="small muted">
        {[...look.skipped, ...look.refused].map((line) => (
          <li key={line}>{line}</li>
        ))}
      </ul>
    </>
  )
}

function Documents({ of }: { of: unknown[] }) {
  return of.map((one, position) => (
    <pre key={position} className="mono small" style={{ whiteSpace: 'pre-wrap', overflowWrap: 'anywhere' }}>
      {JSON.stringify(one, null, 1)}
    </pre>
  ))
}
