import { DeleteOutlined, PlusOutlined } from '@ant-design/icons'
import { useQuery } from '@tanstack/react-query'
import { Button, DatePicker, Drawer, Form, Input, InputNumber, Select } from 'antd'
import dayjs from 'dayjs'
import { useState } from 'react'
import { propertyOptions } from '@/analysis/editors/filter-editor'
import { useNames } from '@/analysis/use-names'
import { http } from '@/api/client'
import type { MetricList, Tree, TreeNode } from '@/api/types'
import { useLanguage } from '@/i18n/language'

const COMBINES = ['sum', 'product'] as const
const TARGETS = ['total', 'level'] as const

interface FormProps {
  value: Tree
  fixed: boolean
  close: () => void
  save: (tree: Tree) => Promise<boolean>
}

/** A KPI tree's nodes: what each is, how its drivers make it, and what is to be reached. */
export function TreeForm({ value, fixed, close, save }: FormProps) {
  const { t } = useLanguage()
  const [tree, setTree] = useState<Tree>(value)
  const [saving, setSaving] = useState(false)
  const metrics = useQuery({ queryKey: ['metrics'], queryFn: ({ signal }) => http.get<MetricList>('/metrics', undefined, signal) })
  const options = (metrics.data?.metrics ?? []).map((one) => ({ value: one.metric.key, label: one.metric.name }))
  return (
    <Drawer
      open
      size={760}
      title={fixed ? t('trees.change') : t('trees.new')}
      onClose={close}
      footer={
        <div className="row">
          <Button onClick={close}>{t('action.cancel')}</Button>
          <Button
            type="primary"
            loading={saving}
            disabled={tree.key === '' || tree.name.trim() === ''}
            onClick={() => {
              setSaving(true)
              void save(tree).finally(() => setSaving(false))
            }}
          >
            {t('action.save')}
          </Button>
        </div>
      }
    >
      <Form layout="vertical">
        <Form.Item label={t('metrics.name')}>
          <Input aria-label={t('metrics.name')} maxLength={120} value={tree.name} onChange={(event) => setTree({ ...tree, name: event.target.value })} />
        </Form.Item>
        <Form.Item label={t('metrics.key')}>
          <Input aria-label={t('metrics.key')} className="mono" disabled={fixed} maxLength={64} value={tree.key} onChange={(event) => setTree({ ...tree, key: event.target.value })} />
        </Form.Item>
        <NodeEditor node={tree.root} metrics={options} change={(root) => setTree({ ...tree, root })} />
      </Form>
    </Drawer>
  )
}

interface NodeProps {
  node: TreeNode
  metrics: { value: string; label: string }[]
  change: (node: TreeNode) => void
  remove?: () => void
}

function NodeEditor({ node, metrics, change, remove }: NodeProps) {
  const { t } = useLanguage()
  const names = useNames()
  const set = (part: Partial<TreeNode>) => change({ ...node, ...part })
  const children = node.children ?? []
  const target = node.target ?? null
  return (
    <section className="stack tight boxed" aria-label={node.name || node.id} style={{ marginBottom: 8 }}>
      <div className="row" style={{ gap: 6 }}>
        <Input aria-label={t('trees.node.name')} placeholder={t('trees.node.name')} style={{ width: 170 }} value={node.name} maxLength={120} onChange={(event) => set({ name: event.target.value })} />
        <Select aria-label={t('trees.node.metric')} placeholder={t('trees.node.metric')} style={{ minWidth: 170 }} allowClear showSearch={{ optionFilterProp: 'label' }} value={(node.metric ?? '') === '' ? null : node.metric} options={metrics} onChange={(key: string | null | undefined) => set({ metric: key ?? '', ...(node.name === '' && key ? { name: metrics.find((one) => one.value === key)?.label ?? '' } : {}) })} />
        {children.length > 0 && <Select aria-label={t('trees.combine')} value={node.combine ?? 'sum'} options={COMBINES.map((one) => ({ value: one, label: t(`trees.combine.${one}`) }))} onChange={(combine: 'sum' | 'product') => set({ combine })} />}
        {children.length === 0 && <Select aria-label={t('trees.split')} placeholder={t('trees.split')} style={{ minWidth: 130 }} allowClear showSearch value={(node.split ?? '') === '' ? null : node.split} options={propertyOptions(names.data ?? { events: [], properties: [], context: [], traits: [] }).map((one) => ({ ...one, label: one.value }))} onChange={(split: string | null | undefined) => set({ split: split ?? '' })} />}
        <Input aria-label={t('metrics.owner')} placeholder={t('metrics.owner')} style={{ width: 110 }} value={node.owner} maxLength={120} onChange={(event) => set({ owner: event.target.value })} />
        {remove && <Button type="text" size="small" icon={<DeleteOutlined />} aria-label={t('trees.node.remove')} onClick={remove} />}
      </div>
      {target ? (
        <div className="row" style={{ gap: 6 }}>
          <InputNumber aria-label={t('trees.target')} style={{ width: 140 }} value={target.value} onChange={(value) => set({ target: { ...target, value: value ?? 0 } })} />
          <Select aria-label={t('trees.target.kind')} value={target.kind} options={TARGETS.map((one) => ({ value: one, label: t(`trees.target.${one}`) }))} onChange={(kind: 'total' | 'level') => set({ target: { ...target, kind } })} />
          <DatePicker.RangePicker allowClear={false} value={[dayjs(target.from), dayjs(target.to)]} onChange={(days) => days?.[0] && days[1] && set({ target: { ...target, from: days[0].format('YYYY-MM-DD'), to: days[1].format('YYYY-MM-DD') } })} />
          <Input aria-label={t('trees.target.note')} placeholder={t('trees.target.note')} style={{ width: 190 }} maxLength={1000} value={target.note} onChange={(event) => set({ target: { ...target, note: event.target.value } })} />
          <Button type="text" size="small" icon={<DeleteOutlined />} aria-label={t('trees.target.remove')} onClick={() => set({ target: null })} />
        </div>
      ) : (
        <div className="row" style={{ gap: 6 }}>
          <Button size="small" onClick={() => set({ target: { value: 0, from: dayjs().startOf('month').format('YYYY-MM-DD'), to: dayjs().endOf('month').format('YYYY-MM-DD'), kind: 'total', note: '' } })}>
            {t('trees.target.add')}
          </Button>
          <Button size="small" icon={<PlusOutlined />} onClick={() => set({ split: '', children: [...children, { id: `n${Math.random().toString(36).slice(2, 10)}`, name: '', metric: '' }] })}>
            {t('trees.node.add')}
          </Button>
        </div>
      )}
      {target && (
        <div>
          <Button size="small" icon={<PlusOutlined />} onClick={() => set({ split: '', children: [...children, { id: `n${Math.random().toString(36).slice(2, 10)}`, name: '', metric: '' }] })}>
            {t('trees.node.add')}
          </Button>
        </div>
      )}
      {children.length > 0 && (
        <div style={{ marginInlineStart: 20 }}>
          {children.map((child, at) => (
            <NodeEditor key={child.id} node={child} metrics={metrics} change={(next) => set({ children: children.map((one, number) => (number === at ? next : one)) })} remove={() => set({ children: children.filter((_, number) => number !== at) })} />
          ))}
        </div>
      )}
    </section>
  )
}
