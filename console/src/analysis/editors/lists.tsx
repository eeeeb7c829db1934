import { DeleteOutlined, PlusOutlined } from '@ant-design/icons'
import { Button, Input, InputNumber, Select } from 'antd'
import { useState } from 'react'
import { useLanguage } from '@/i18n/language'
import type { Names } from '../question'
import { FilterEditor } from './filter-editor'
import { StepEditor } from './step-editor'

interface Exclusion {
  event: unknown
  after: number
  before: number
  filters?: unknown
}

interface ListProps {
  value: unknown
  onChange: (value: unknown) => void
}

/** Events that taint an attempt when they lie between two steps. */
export function ExclusionsEditor({ value, onChange, names, steps }: ListProps & { names: Names; steps: number }) {
  const { t } = useLanguage()
  const list = (Array.isArray(value) ? value : []) as Exclusion[]
  const change = (at: number, part: Partial<Exclusion>) => onChange(list.map((one, number) => (number === at ? { ...one, ...part } : one)))
  return (
    <div className="stack tight">
      {list.map((one, at) => (
        <div key={at} className="stack tight boxed">
          <StepEditor plain label={t('analysis.exclude.event')} value={one.event} names={names} onChange={(event) => change(at, { event: event ?? names.events[0] })} />
          <div className="row" style={{ gap: 6 }}>
            <span className="small">{t('analysis.exclude.between')}</span>
            <InputNumber aria-label={t('analysis.exclude.after')} size="small" min={1} max={Math.max(1, steps - 1)} value={one.after + 1} onChange={(n) => change(at, { after: (n ?? 1) - 1 })} />
            <InputNumber aria-label={t('analysis.exclude.before')} size="small" min={2} max={Math.max(2, steps)} value={one.before + 1} onChange={(n) => change(at, { before: (n ?? 2) - 1 })} />
            <Button type="text" size="small" icon={<DeleteOutlined />} aria-label={t('analysis.exclude.remove')} onClick={() => onChange(list.filter((_, number) => number !== at))} />
          </div>
          <FilterEditor value={one.filters} names={names} onChange={(filters) => change(at, { filters })} />
        </div>
      ))}
      <div>
        <Button size="small" icon={<PlusOutlined />} disabled={steps < 2 || names.events.length === 0} onClick={() => onChange([...list, { event: names.events[0], after: 0, before: Math.max(1, steps - 1) }])}>
          {t('analysis.exclude.add')}
        </Button>
      </div>
    </div>
  )
}

/** Nodes whose name a pattern fits get another name. */
export function RenamesEditor({ value, onChange }: ListProps) {
  const { t } = useLanguage()
  const list = (Array.isArray(value) ? value : []) as { pattern: string; name: string }[]
  const change = (at: number, part: Partial<{ pattern: string; name: string }>) => onChange(list.map((one, number) => (number === at ? { ...one, ...part } : one)))
  return (
    <div className="stack tight">
      {list.map((one, at) => (
        <div key={at} className="row" style={{ gap: 6 }}>
          <Input className="mono" style={{ width: 170 }} aria-label={t('analysis.clean.pattern')} placeholder={t('analysis.clean.pattern')} defaultValue={one.pattern} onBlur={(event) => change(at, { pattern: event.target.value })} />
          <Input style={{ width: 130 }} aria-label={t('analysis.clean.name')} placeholder={t('analysis.clean.name')} defaultValue={one.name} onBlur={(event) => change(at, { name: event.target.value })} />
          <Button type="text" size="small" icon={<DeleteOutlined />} aria-label={t('analysis.clean.remove')} onClick={() => onChange(list.filter((_, number) => number !== at))} />
        </div>
      ))}
      <div>
        <Button size="small" icon={<PlusOutlined />} onClick={() => onChange([...list, { pattern: '\\?.*$', name: '' }])}>
          {t('analysis.clean.add')}
        </Button>
      </div>
    </div>
  )
}

/** What each credited value cost, in the unit of the conversions' worth. */
export function CostsEditor({ value, onChange }: ListProps) {
  const { t } = useLanguage()
  const costs = (typeof value === 'object' && value !== null ? value : {}) as Record<string, number>
  const list = Object.entries(costs)
  const write = (next: [string, number][]) => onChange(next.length > 0 ? Object.fromEntries(next) : undefined)
  // A value has one cost: a name that is there already is not taken, and the row says so.
  const [twice, setTwice] = useState<string>()
  const rename = (at: number, name: string, cost: number) => {
    const taken = list.some(([other], number) => number !== at && other === name)
    setTwice(taken ? list[at]?.[0] : undefined)
    if (!taken) write(list.map((one, number) => (number === at ? [name, cost] : one)))
  }
  return (
    <div className="stack tight">
      {list.map(([name, cost], at) => (
        <div key={name} className="row" style={{ gap: 6 }}>
          <Input style={{ width: 150 }} aria-label={t('analysis.costs.value')} defaultValue={name} status={twice === name ? 'error' : undefined} onBlur={(event) => rename(at, event.target.value, cost)} />
          <InputNumber style={{ width: 120 }} aria-label={t('analysis.costs.cost')} min={0} value={cost} onChange={(n) => write(list.map((one, number) => (number === at ? [name, n ?? 0] : one)))} />
          <Button type="text" size="small" icon={<DeleteOutlined />} aria-label={t('analysis.costs.remove', { name })} onClick={() => write(list.filter((_, number) => number !== at))} />
          {twice === name && (
            <span role="alert" className="small bad">
              {t('analysis.costs.twice')}
            </span>
          )}
        </div>
      ))}
      <div>
        <Button size="small" icon={<PlusOutlined />} disabled={'' in costs} onClick={() => write([...list, ['', 0]])}>
          {t('analysis.costs.add')}
        </Button>
      </div>
    </div>
  )
}

interface Holdout {
  treated: string
  held_out: string
}

/** Who was held out from which value: two segments a value, kept here until both are chosen. */
export function HoldoutsEditor({ value, onChange, segments }: ListProps & { segments: { value: string; label: string }[] }) {
  const { t } = useLanguage()
  const [list, setList] = useState<[string, Partial<Holdout>][]>(() => Object.entries((typeof value === 'object' && value !== null ? value : {}) as Record<string, Holdout>))
  const write = (next: [string, Partial<Holdout>][]) => {
    setList(next)
    const whole = next.filter(([name, one], at) => name.trim() !== '' && one.treated && one.held_out && next.findIndex(([other]) => other === name) === at)
    onChange(whole.length > 0 ? Object.fromEntries(whole) : undefined)
  }
  // A value has one holdout: of two rows with a name the second is not taken, and says so.
  const twice = (at: number) => list[at]?.[0].trim() !== '' && list.findIndex(([name]) => name === list[at]?.[0]) < at
  const replace = (at: number, one: [string, Partial<Holdout>]) => write(list.map((held, number) => (number === at ? one : held)))
  return (
    <div className="stack tight">
      <p className="muted small">{t('analysis.holdouts.about')}</p>
      {list.map(([name, one], at) => (
        <div key={at} className="row" style={{ gap: 6 }}>
          <Input status={twice(at) ? 'error' : undefined} aria-invalid={twice(at)} style={{ width: 110 }} aria-label={t('analysis.costs.value')} placeholder={t('analysis.costs.value')} value={name} onChange={(event) => replace(at, [event.target.value, one])} />
          {(['treated', 'held_out'] as const).map((group) => (
            <Select key={group} style={{ width: 132 }} aria-label={t(`analysis.holdouts.${group}`)} placeholder={t(`analysis.holdouts.${group}`)} showSearch={{ optionFilterProp: 'label' }} value={one[group] ?? null} options={segments} onChange={(key: string) => replace(at, [name, { ...one, [group]: key }])} />
          ))}
          <Button type="text" size="small" icon={<DeleteOutlined />} aria-label={t('analysis.holdouts.remove', { name })} onClick={() => write(list.filter((_, number) => number !== at))} />
          {twice(at) && (
            <span role="alert" className="small bad">
              {t('analysis.holdouts.twice', { name })}
            </span>
          )}
        </div>
      ))}
      <div>
        <Button size="small" icon={<PlusOutlined />} onClick={() => setList([...list, ['', {}]])}>
          {t('analysis.holdouts.add')}
        </Button>
      </div>
    </div>
  )
}
