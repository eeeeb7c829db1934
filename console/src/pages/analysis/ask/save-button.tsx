import { SaveOutlined } from '@ant-design/icons'
import { useQueryClient } from '@tanstack/react-query'
import { Button, Form, Input, Modal } from 'antd'
import { useState } from 'react'
import type { Kind, Question } from '@/analysis/kinds'
import { http } from '@/api/client'
import type { SavedQuestion } from '@/api/types'
import { useLanguage } from '@/i18n/language'
import { useCan } from '@/shell/session'
import { useAct } from '@/ui/use-act'
import { useUrlState } from '@/url/use-url-state'

/** Saves the question under a title; one that was opened from the list may be replaced. */
export function SaveButton({ kind, question }: { kind: Kind; question: Question }) {
  const { t } = useLanguage()
  const can = useCan()
  const act = useAct()
  const url = useUrlState()
  const client = useQueryClient()
  const [open, setOpen] = useState(false)
  const [busy, setBusy] = useState(false)
  const [form] = Form.useForm<{ title: string; about: string }>()
  const saved = url.get('saved')
  const title = url.get('title')
  if (!can('analyst')) return null

  async function save(anew: boolean) {
    const values = await form.validateFields().catch(() => null)
    if (values === null) return
    setBusy(true)
    const body = { ...values, kind, question }
    const done = await act(async () => {
      const made = anew || saved === '' ? await http.post<SavedQuestion>('/questions', body) : await http.put<SavedQuestion>(`/questions/${saved}`, body)
      await client.invalidateQueries({ queryKey: ['questions'] })
      url.set({ saved: made.id, title: made.title })
    }, t('analysis.saved'))
    setBusy(false)
    if (done) setOpen(false)
  }
  return (
    <>
      <Button icon={<SaveOutlined />} onClick={() => setOpen(true)}>
        {t('action.save')}
      </Button>
      <Modal
        open={open}
        title={t('analysis.save')}
        onCancel={() => setOpen(false)}
        footer={
          <div className="row" style={{ justifyContent: 'flex-end' }}>
            {saved !== '' && (
              <Button loading={busy} onClick={() => void save(true)}>
                {t('analysis.save.new')}
              </Button>
            )}
            <Button type="primary" loading={busy} onClick={() => void save(false)}>
              {saved === '' ? t('action.save') : t('analysis.save.replace')}
            </Button>
          </div>
        }
      >
        <Form form={form} layout="vertical" initialValues={{ title, about: '' }}>
          <Form.Item name="title" label={t('analysis.save.title')} rules={[{ required: true, whitespace: true, message: t('analysis.save.title.wrong') }]}>
            <Input maxLength={200} />
          </Form.Item>
          <Form.Item name="about" label={t('analysis.save.about')}>
            <Input.TextArea maxLength={2000} autoSize={{ minRows: 2 }} />
          </Form.Item>
        </Form>
      </Modal>
    </>
  )
}
