import { ArrowDownOutlined, ArrowUpOutlined, DeleteOutlined, PlusOutlined } from '@ant-design/icons'
import { Button } from 'antd'
import { useLanguage } from '@/i18n/language'
import type { Names } from '../question'
import { StepEditor } from './step-editor'

const MOST = 32

/** The steps of a funnel: added, taken out, moved. */
export function StepsEditor({ value, onChange, names }: { value: unknown; onChange: (value: unknown) => void; names: Names }) {
  const { t } = useLanguage()
  const steps = Array.isArray(value) ? (value as unknown[]) : []
  const move = (from: number, to: number) => {
    const next = [...steps]
    next.splice(to, 0, ...next.splice(from, 1))
    onChange(next)
  }
  return (
    <ol className="steps-editor">
      {steps.map((step, at) => (
        <li key={at}>
          <div className="row between" style={{ flexWrap: 'nowrap', alignItems: 'flex-start' }}>
            <StepEditor label={t('analysis.step.number', { n: at + 1 })} value={step} names={names} onChange={(next) => onChange(next === undefined ? steps.filter((_, number) => number !== at) : steps.map((one, number) => (number === at ? next : one)))} />
            <span className="row" style={{ gap: 0, flexWrap: 'nowrap' }}>
              <Button type="text" size="small" icon={<ArrowUpOutlined />} aria-label={t('analysis.step.up', { n: at + 1 })} disabled={at === 0} onClick={() => move(at, at - 1)} />
              <Button type="text" size="small" icon={<ArrowDownOutlined />} aria-label={t('analysis.step.down', { n: at + 1 })} disabled={at === steps.length - 1} onClick={() => move(at, at + 1)} />
              <Button type="text" size="small" icon={<DeleteOutlined />} aria-label={t('analysis.step.remove', { n: at + 1 })} onClick={() => onChange(steps.filter((_, number) => number !== at))} />
            </span>
          </div>
        </li>
      ))}
      <li className="add">
        <Button size="small" icon={<PlusOutlined />} disabled={steps.length >= MOST || names.events.length === 0} onClick={() => onChange([...steps, names.events.find((name) => !steps.includes(name)) ?? names.events[0]])}>
          {t('analysis.step.add')}
        </Button>
      </li>
    </ol>
  )
}
