import { useMutation, useQueryClient } from '@tanstack/react-query'
import { App, Form, Input, Modal } from 'antd'
import { useNavigate } from 'react-router'
import { http } from '@/api/client'
import type { Layer, Layering, Segment } from '@/api/types'
import { useLanguage } from '@/i18n/language'
import { ProblemView } from '@/ui/problem'

interface Named {
  key: string
  name: string
}

export function SaveSegment({ layering, layer, close }: { layering: Layering; layer: Layer; close: () => void }) {
  const { t, pick } = useLanguage()
  const { message } = App.useApp()
  const navigate = useNavigate()
  const client = useQueryClient()
  const [form] = Form.useForm<Named>()
  const save = useMutation({
    mutationFn: (values: Named) => http.post<Segment>(`/layerings/${layering.id}/layers/${encodeURIComponent(layer.key)}/segment`, values),
    onSuccess: (segment) => {
      void client.invalidateQueries({ queryKey: ['segments'] })
      void message.success(t('layering.save.done', { name: segment.name }))
      close()
      void navigate(`/people/segments/${encodeURIComponent(segment.key)}`)
    },
  })
  return (
    <Modal open title={t('layering.save.title', { n: layer.people })} onCancel={close} okText={t('action.save')} cancelText={t('action.cancel')} confirmLoading={save.isPending} onOk={() => form.submit()}>
      <p className="muted" style={{ marginBottom: 16 }}>
        {t('layering.save.about')}
      </p>
      {save.error && <ProblemView error={save.error} />}
      <Form<Named>
        form={form}
        layout="vertical"
        requiredMark={false}
        initialValues={{ name: `${pick(layer.name)} ${layering.as_of}`, key: `${layering.kind}-${layer.key}-${layering.as_of}`.replace(/[^a-z0-9_-]/g, '-') }}
        onFinish={(values) => save.mutate(values)}
      >
        <Form.Item name="name" label={t('layering.save.name')} rules={[{ required: true, whitespace: true, message: t('signin.required') }]}>
          <Input maxLength={100} />
        </Form.Item>
        <Form.Item name="key" label={t('layering.save.key')} rules={[{ required: true, pattern: /^[a-z0-9][a-z0-9_-]*$/, message: t('layering.save.key.rule') }]}>
          <Input maxLength={80} className="mono" />
        </Form.Item>
      </Form>
    </Modal>
  )
}
