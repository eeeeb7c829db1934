import { AutoComplete, Input, InputNumber, Radio, Select, Switch } from 'antd'
import { useLanguage } from '@/i18n/language'
import { choiceOf, labelOf, type Field, type Question } from '../kinds'
import { textOf, type Names } from '../question'
import { FilterEditor, propertyOptions } from './filter-editor'
import { CostsEditor, ExclusionsEditor, HoldoutsEditor, RenamesEditor } from './lists'
import { RangeEditor } from './range-editor'
import { SeriesEditor } from './series-editor'
import { StepEditor } from './step-editor'
import { StepsEditor } from './steps-editor'

const UNITS = ['s', 'm', 'h', 'd', 'w', 'mo'] as const

interface FieldEditorProps {
  field: Field
  question: Question
  set: (value: unknown) => void
  names: Names
  segments: { value: string; label: string }[]
}

/** The editor of one parameter. Setting undefined goes back to the server's default. */
export function FieldEditor({ field, question, set, names, segments }: FieldEditorProps) {
  const { t } = useLanguage()
  const label = t(labelOf(field))
  const value = question[field.name]
  switch (field.type) {
    case 'steps':
      return <StepsEditor value={value} onChange={set} names={names} />
    case 'series':
      return <SeriesEditor question={question} onChange={set} names={names} />
    case 'step':
      return <StepEditor label={label} value={value ?? field.usual} onChange={set} names={names} />
    case 'filters':
      return <FilterEditor value={value} onChange={set} names={names} />
    case 'range':
      return <RangeEditor value={value} onChange={set} />
    case 'exclusions':
      return <ExclusionsEditor value={value} onChange={set} names={names} steps={Array.isArray(question.steps) ? question.steps.length : 0} />
    case 'renames':
      return <RenamesEditor value={value} onChange={set} />
    case 'holdouts':
      return <HoldoutsEditor value={value} onChange={set} segments={segments} />
    case 'costs':
      return <CostsEditor value={value} onChange={set} />
    case 'choice':
      return field.usual === undefined || field.choices.length > 5 ? (
        <Select aria-label={label} style={{ minWidth: 180 }} allowClear={field.usual === undefined} value={(value as string | undefined) ?? (field.usual as string | undefined) ?? null} placeholder={t('analysis.none')} options={field.choices.map((one) => ({ value: one, label: t(choiceOf(field, one)) }))} onChange={(one: string | undefined) => set(one)} />
      ) : (
        <Radio.Group aria-label={label} value={value ?? field.usual} onChange={(event) => set(event.target.value)} style={{ display: 'grid', gap: 6 }} options={field.choices.map((one) => ({ value: one, label: t(choiceOf(field, one)) }))} />
      )
    case 'choices':
      return <Select mode="multiple" aria-label={label} style={{ minWidth: 260 }} allowClear placeholder={t('analysis.all')} value={Array.isArray(value) ? (value as string[]) : []} options={field.choices.map((one) => ({ value: one, label: t(choiceOf(field, one)) }))} onChange={(list: string[]) => set(list.length > 0 ? list : undefined)} />
    case 'number':
      return <InputNumber aria-label={label} min={field.min} max={field.max} value={(value as number | undefined) ?? (field.usual as number | undefined) ?? null} onChange={(n) => set(n ?? undefined)} />
    case 'flag':
      return <Switch style={{ justifySelf: 'start' }} aria-label={label} checked={(value ?? field.usual) === true} onChange={(on) => set(on || undefined)} />
    case 'text':
    case 'zone':
      return (
        <Input
          key={textOf(value)}
          aria-label={label}
          style={{ width: 240 }}
          allowClear
          defaultValue={textOf(value)}
          placeholder={field.type === 'zone' ? 'Asia/Shanghai' : field.name === 'formula' ? 'A / B' : ''}
          onPressEnter={(event) => event.currentTarget.blur()}
          onClear={() => set(undefined)}
          onBlur={(event) => {
            if (event.target.value !== textOf(value)) set(event.target.value.trim() === '' ? undefined : event.target.value.trim())
          }}
        />
      )
    case 'texts':
      return <Select mode="tags" open={false} aria-label={label} style={{ minWidth: 260 }} value={Array.isArray(value) ? (value as string[]) : []} onChange={(list: string[]) => set(list.length > 0 ? list : undefined)} />
    case 'property':
      return <PropertyEditor label={label} value={textOf(value ?? field.usual)} options={field.scope === 'node' ? [{ value: 'event' }, ...propertyOptions(names)] : propertyOptions(names)} set={set} />
    case 'properties': {
      const list = Array.isArray(value) ? (value as string[]) : typeof value === 'string' ? [value] : []
      return <Select mode="tags" aria-label={label} style={{ minWidth: 260 }} placeholder={t('analysis.property')} value={list} options={propertyOptions(names).map((one) => ({ ...one, label: one.value }))} onChange={(next: string[]) => set(next.length > 0 ? next : undefined)} />
    }
    case 'count_by':
      return <PropertyEditor label={label} value={textOf(value ?? 'person')} options={[{ value: 'person' }, ...propertyOptions(names)]} set={(one) => set(one === 'person' ? undefined : one)} />
    case 'touch':
      return (
        <Select
          aria-label={label}
          style={{ minWidth: 220 }}
          value={textOf(value ?? field.usual)}
          onChange={(one: string) => set(one)}
          options={[...['first_touch', 'last_touch', 'all'].map((one) => ({ value: one, label: t(`analysis.choice.attribution.${one}` as 'analysis.choice.attribution.all') })), ...(Array.isArray(question.steps) ? question.steps : []).map((_, at) => ({ value: `step:${at}`, label: t('analysis.choice.attribution.step', { n: at + 1 }) }))]}
        />
      )
    case 'segment':
      return <Select aria-label={label} style={{ minWidth: 220 }} allowClear showSearch={{ optionFilterProp: 'label' }} placeholder={t('analysis.everyone')} value={(value as string | undefined) ?? null} options={segments} onChange={(key: string | undefined) => set(key)} />
    case 'duration':
      return <DurationEditor label={label} value={value} usual={textOf(field.usual)} nullable={field.nullable === true} set={set} />
    case 'bins':
      return (
        <Select
          mode="tags"
          open={false}
          aria-label={label}
          style={{ minWidth: 260 }}
          placeholder={t('analysis.bins.auto')}
          value={typeof value === 'number' ? [String(value)] : Array.isArray(value) ? value.map(textOf) : []}
          onChange={(list: string[]) => {
            const numbers = list.map(Number).filter((n) => Number.isFinite(n))
            set(numbers.length === 0 ? undefined : numbers.length === 1 ? numbers[0] : numbers)
          }}
        />
      )
  }
}

function PropertyEditor({ label, value, options, set }: { label: string; value: string; options: { value: string }[]; set: (value: unknown) => void }) {
  return (
    <AutoComplete
      key={value}
      aria-label={label}
      style={{ width: 220 }}
      defaultValue={value}
      options={options}
      showSearch={{ filterOption: (typed, option) => (option?.value ?? '').toLowerCase().includes(typed.toLowerCase()) }}
      onSelect={(one: string) => set(one)}
      onBlur={(event) => {
        const typed = (event.target as HTMLInputElement).value.trim()
        if (typed !== value) set(typed === '' ? undefined : typed)
      }}
    />
  )
}

function DurationEditor({ label, value, usual, nullable, set }: { label: string; value: unknown; usual: string; nullable: boolean; set: (value: unknown) => void }) {
  const { t } = useLanguage()
  const found = /^(\d+(?:\.\d+)?)(s|m|h|d|w|mo)$/.exec(textOf(value ?? usual))
  const number = found ? Number(found[1]) : 1
  const unit = found?.[2] ?? 'd'
  return (
    <div className="row" style={{ gap: 6 }}>
      {nullable && (
        <Radio.Group
          aria-label={label}
          value={value === null ? 'none' : 'some'}
          onChange={(event) => set(event.target.value === 'none' ? null : usual)}
          options={[
            { value: 'some', label: t('analysis.within') },
            { value: 'none', label: t('analysis.no_window') },
          ]}
        />
      )}
      {value !== null && (
        <>
          <InputNumber aria-label={label} min={1} max={100_000} value={number} onChange={(n) => set(`${n ?? 1}${unit}`)} style={{ width: 90 }} />
          <Select aria-label={t('analysis.unit')} style={{ width: 110 }} value={unit} onChange={(next: string) => set(`${number}${next}`)} options={UNITS.map((one) => ({ value: one, label: t(`analysis.unit.name.${one}`) }))} />
        </>
      )}
    </div>
  )
}
