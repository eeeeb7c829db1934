import { DeleteOutlined, PlusOutlined } from '@ant-design/icons'
import { AutoComplete, Button, Input, Select } from 'antd'
import { useLanguage } from '@/i18n/language'
import type { MessageKey } from '@/i18n/messages'
import { METRICS, WITH_PROPERTY, type Question } from '../kinds'
import { readSeries, writeSeries, type Names, type Series } from '../question'
import { FilterEditor, propertyOptions } from './filter-editor'
import { StepEditor } from './step-editor'

const MOST = 26

/** The lines of a trend; a formula names them A, B, C and so on. */
export function SeriesEditor({ question, onChange, names }: { question: Question; onChange: (value: unknown) => void; names: Names }) {
  const { t } = useLanguage()
  const list = readSeries(question)
  const change = (at: number, part: Partial<Series>) => onChange(writeSeries(list.map((one, number) => (number === at ? { ...one, ...part } : one))))
  return (
    <ol className="steps-editor lettered">
      {list.map((one, at) => (
        <li key={at}>
          <div className="row between" style={{ flexWrap: 'nowrap', alignItems: 'flex-start' }}>
            <div className="stack tight">
              <StepEditor plain label={t('analysis.series.event', { letter: String.fromCharCode(65 + at) })} value={one.event} names={names} onChange={(event) => change(at, { event: event ?? '*' })} />
              <div className="row" style={{ gap: 6 }}>
                <Select
                  aria-label={t('analysis.field.metric')}
                  value={one.metric}
                  style={{ width: 160 }}
                  options={METRICS.map((metric) => ({ value: metric, label: t(`analysis.choice.metric.${metric}` as MessageKey) }))}
                  onChange={(metric) => change(at, { metric, property: WITH_PROPERTY.includes(metric) ? (one.property ?? (metric === 'per_person' ? undefined : 'amount')) : undefined })}
                />
                {WITH_PROPERTY.includes(one.metric) && (
                  <AutoComplete
                    aria-label={t('analysis.property')}
                    placeholder={t('analysis.property')}
                    style={{ width: 140 }}
                    defaultValue={one.property ?? ''}
                    options={propertyOptions(names)}
                    onSelect={(property: string) => change(at, { property })}
                    onBlur={(event) => {
                      const typed = (event.target as HTMLInputElement).value
                      if (typed !== (one.property ?? '')) change(at, { property: typed === '' ? undefined : typed })
                    }}
                  />
                )}
              </div>
              <FilterEditor value={one.filters} names={names} onChange={(filters) => change(at, { filters })} />
              <Input
                key={one.label ?? ''}
                aria-label={t('analysis.label')}
                placeholder={t('analysis.label')}
                defaultValue={one.label ?? ''}
                maxLength={100}
                onBlur={(event) => {
                  const typed = event.target.value.trim()
                  if (typed !== (one.label ?? '')) change(at, { label: typed === '' ? undefined : typed })
                }}
              />
            </div>
            {list.length > 1 && <Button type="text" size="small" icon={<DeleteOutlined />} aria-label={t('analysis.series.remove', { letter: String.fromCharCode(65 + at) })} onClick={() => onChange(writeSeries(list.filter((_, number) => number !== at)))} />}
          </div>
        </li>
      ))}
      <li className="add">
        <Button size="small" icon={<PlusOutlined />} disabled={list.length >= MOST} onClick={() => onChange(writeSeries([...list, { event: '*', metric: 'count' }]))}>
          {t('analysis.series.add')}
        </Button>
      </li>
    </ol>
  )
}
