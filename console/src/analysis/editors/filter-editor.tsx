import { DeleteOutlined, PlusOutlined } from '@ant-design/icons'
import { AutoComplete, Button, Input, Segmented, Select } from 'antd'
import { useLanguage } from '@/i18n/language'
import type { MessageKey } from '@/i18n/messages'
import { OPERATORS, WITHOUT_VALUE, WITH_LIST, readConditions, textOf, valueOf, writeConditions, type Condition, type Names } from '../question'

export function propertyOptions(names: Names): { value: string }[] {
  return [...names.properties, ...names.traits.map((name) => `profile.${name}`), ...names.context.map((name) => `context.${name}`), 'event', 'source'].map((value) => ({ value }))
}

/** Conditions that all, or any, must be met. Nested ones are edited as JSON with the whole question. */
export function FilterEditor({ value, onChange, names }: { value: unknown; onChange: (value: unknown) => void; names: Names }) {
  const { t } = useLanguage()
  const read = readConditions(value)
  if (read === null) return <p className="muted small">{t('analysis.filters.nested')}</p>
  const { join, conditions } = read
  const write = (next: Condition[]) => onChange(writeConditions({ join, conditions: next }))
  const change = (at: number, part: Partial<Condition>) => write(conditions.map((one, number) => (number === at ? { ...one, ...part } : one)))
  return (
    <div className="stack tight">
      {conditions.length > 1 && (
        <Segmented<'all' | 'any'>
          size="small"
          value={join}
          onChange={(next) => onChange(writeConditions({ join: next, conditions }))}
          options={[
            { value: 'all', label: t('analysis.filters.all') },
            { value: 'any', label: t('analysis.filters.any') },
          ]}
        />
      )}
      {conditions.map((one, at) => (
        <div key={at} className="row" style={{ gap: 6 }}>
          <AutoComplete
            aria-label={t('analysis.property')}
            placeholder={t('analysis.property')}
            defaultValue={one.property}
            options={propertyOptions(names)}
            showSearch={{ filterOption: (typed, option) => (option?.value ?? '').toLowerCase().includes(typed.toLowerCase()) }}
            style={{ width: 150 }}
            onSelect={(property: string) => change(at, { property })}
            onBlur={(event) => {
              const typed = (event.target as HTMLInputElement).value
              if (typed !== one.property) change(at, { property: typed })
            }}
          />
          <Select
            aria-label={t('analysis.operator')}
            value={one.op}
            style={{ width: 116 }}
            options={OPERATORS.map((op) => ({ value: op, label: t(`analysis.op.${op}` as MessageKey) }))}
            onChange={(op) => change(at, { op, value: WITHOUT_VALUE.includes(op) ? undefined : WITH_LIST.includes(op) ? (Array.isArray(one.value) ? (one.value as unknown[]) : one.value === undefined ? [] : [one.value]) : Array.isArray(one.value) ? (one.value as unknown[])[0] : one.value })}
          />
          {WITHOUT_VALUE.includes(one.op) ? null : WITH_LIST.includes(one.op) ? (
            <Select
              mode="tags"
              aria-label={t('analysis.value')}
              style={{ minWidth: 130 }}
              value={Array.isArray(one.value) ? one.value.map(textOf) : []}
              onChange={(list: string[]) => change(at, { value: list.map(valueOf) })}
              open={false}
            />
          ) : (
            <Input
              key={textOf(one.value)}
              aria-label={t('analysis.value')}
              style={{ width: 130 }}
              defaultValue={textOf(one.value)}
              onPressEnter={(event) => event.currentTarget.blur()}
              onBlur={(event) => {
                if (event.target.value !== textOf(one.value)) change(at, { value: valueOf(event.target.value) })
              }}
            />
          )}
          <Button type="text" size="small" icon={<DeleteOutlined />} aria-label={t('analysis.filters.remove')} onClick={() => write(conditions.filter((_, number) => number !== at))} />
        </div>
      ))}
      <div>
        <Button size="small" icon={<PlusOutlined />} onClick={() => write([...conditions, { property: names.properties[0] ?? 'event', op: 'is_set' }])}>
          {t('analysis.filters.add')}
        </Button>
      </div>
    </div>
  )
}
