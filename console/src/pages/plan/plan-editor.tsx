import { useMutation, useQueryClient } from '@tanstack/react-query'
import { Alert, App, Button, Input } from 'antd'
import { useEffect, useState } from 'react'
import { download, http } from '@/api/client'
import type { InferredPlan, TrackingPlan } from '@/api/types'
import { useLanguage } from '@/i18n/language'
import { useCan } from '@/shell/session'
import { ProblemView } from '@/ui/problem'
import { useAct } from '@/ui/use-act'

/** The plan as text: short to read, easy to paste from a repository. The server says which line or field is wrong. */
export function PlanEditor({ plan }: { plan: TrackingPlan }) {
  const { t } = useLanguage()
  const can = useCan()
  const act = useAct()
  const { modal } = App.useApp()
  const client = useQueryClient()
  const [text, setText] = useState(plan.yaml)
  const changed = text !== plan.yaml
  const save = useMutation({
    mutationFn: () => http.put<TrackingPlan>('/plan', { yaml: text, version: plan.version }),
    onSuccess: () => client.invalidateQueries({ queryKey: ['plan'] }),
  })
  useEffect(() => {
    if (!changed) return
    const warn = (event: BeforeUnloadEvent) => event.preventDefault()
    window.addEventListener('beforeunload', warn)
    return () => window.removeEventListener('beforeunload', warn)
  }, [changed])

  function infer() {
    void act(async () => {
      const found = await http.get<InferredPlan>('/plan/inferred')
      setText(found.yaml)
    }, t('plan.inferred'))
  }
  function ask() {
    if (!/^mode:\s*enforce/m.test(text) || plan.plan.mode === 'enforce') {
      save.mutate()
      return
    }
    void modal.confirm({ title: t('plan.enforce.title'), content: t('plan.enforce.about'), okText: t('plan.save'), cancelText: t('action.cancel'), onOk: () => save.mutate() })
  }
  return (
    <div className="stack">
      <p className="muted" style={{ margin: 0 }}>{t('plan.editor.about')}</p>
      <div className="row">
        {can('operator') && (
          <>
            <Button type="primary" disabled={!changed} loading={save.isPending} onClick={ask}>
              {t('plan.save')}
            </Button>
            <Button onClick={infer}>{t('plan.infer')}</Button>
            {changed && <Button onClick={() => setText(plan.yaml)}>{t('plan.revert')}</Button>}
          </>
        )}
        <Button onClick={() => void act(() => download('GET', '/plan/export', 'tracking-plan.yaml'))}>{t('plan.export')}</Button>
      </div>
      {save.error && <ProblemView error={save.error} />}
      {!can('operator') && <Alert type="info" showIcon title={t('plan.readonly')} />}
      <Input.TextArea aria-label={t('plan.tab.plan')} className="mono" value={text} readOnly={!can('operator')} onChange={(event) => setText(event.target.value)} autoSize={{ minRows: 18, maxRows: 60 }} spellCheck={false} />
    </div>
  )
}
