import { Input, Select } from 'antd'
import { useLanguage } from '@/i18n/language'
import { readStep, writeStep, type Names } from '../question'
import { FilterEditor } from './filter-editor'

interface StepEditorProps {
  value: unknown
  onChange: (value: unknown) => void
  names: Names
  label: string
  /** Without conditions and label: the place has its own. */
  plain?: boolean
}

/** One event, or several of which any will do, with conditions and a label of its own. */
export function StepEditor({ value, onChange, names, label, plain }: StepEditorProps) {
  const { t } = useLanguage()
  const step = readStep(value)
  return (
    <div className="stack tight">
      <Select
        mode="multiple"
        aria-label={label}
        placeholder={t('analysis.choose_event')}
        value={step.events}
        style={{ minWidth: 260 }}
        options={[{ value: '*', label: t('analysis.any_event') }, ...names.events.map((name) => ({ value: name, label: name }))]}
        onChange={(events: string[]) => {
          // Any event says it all: it stands alone.
          const chosen = events.at(-1) === '*' ? ['*'] : events.filter((name) => name !== '*')
          onChange(writeStep({ ...step, events: chosen }))
        }}
      />
      {!plain && step.events.length > 0 && (
        <>
          <FilterEditor value={step.filters} names={names} onChange={(filters) => onChange(writeStep({ ...step, filters }))} />
          <Input
            key={step.label}
            aria-label={t('analysis.label')}
            placeholder={t('analysis.label')}
            defaultValue={step.label}
            maxLength={100}
            onBlur={(event) => {
              if (event.target.value.trim() !== step.label) onChange(writeStep({ ...step, label: event.target.value.trim() }))
            }}
          />
        </>
      )}
    </div>
  )
}
