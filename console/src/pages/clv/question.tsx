import { Button, DatePicker, InputNumber, Select } from 'antd'
import dayjs from 'dayjs'
import { useState } from 'react'
import type { ClvQuestion } from '@/api/types'
import { useLanguage } from '@/i18n/language'
import { Panel } from '@/ui/page'
import { useUrlState } from '@/url/use-url-state'
import { models, units, useQuestion } from './use-question'

export function Question({ busy }: { busy: boolean }) {
  const { t } = useLanguage()
  const url = useUrlState()
  const { question } = useQuestion()
  const [draft, setDraft] = useState<ClvQuestion>(question)

  return (
    <Panel label={t('clv.model')}>
      <form
        className="formgrid"
        onSubmit={(event) => {
          event.preventDefault()
          url.set({ model: draft.model, unit: draft.time_unit, calibration_end: draft.calibration_end, until: draft.until, horizon: draft.horizon === 0 ? null : draft.horizon }, { push: true })
        }}
      >
        <div className="labelled">
          <label htmlFor="clv-model">{t('clv.model')}</label>
          <Select id="clv-model" value={draft.model} options={models.map((model) => ({ value: model, label: t(`clv.model.${model}`) }))} onChange={(model) => setDraft({ ...draft, model })} />
        </div>
        <div className="labelled">
          <label htmlFor="clv-unit">{t('clv.unit')}</label>
          <Select id="clv-unit" value={draft.time_unit} options={units.map((unit) => ({ value: unit, label: t(`clv.unit.${unit}`) }))} onChange={(unit) => setDraft({ ...draft, time_unit: unit })} />
        </div>
        <div className="labelled">
          <label htmlFor="clv-calibration">{t('clv.calibration')}</label>
          <DatePicker id="clv-calibration" placeholder={t('clv.calibration.auto')} value={draft.calibration_end ? dayjs(draft.calibration_end) : null} onChange={(day) => setDraft({ ...draft, ...(day ? { calibration_end: day.format('YYYY-MM-DD') } : { calibration_end: '' }) })} />
        </div>
        <div className="labelled">
          <label htmlFor="clv-until">{t('clv.until')}</label>
          <DatePicker id="clv-until" placeholder={t('clv.until.auto')} value={draft.until ? dayjs(draft.until) : null} onChange={(day) => setDraft({ ...draft, ...(day ? { until: day.format('YYYY-MM-DD') } : { until: '' }) })} />
        </div>
        <div className="labelled">
          <label htmlFor="clv-horizon">{t('clv.horizon', { unit: t(`clv.unit.${draft.time_unit}`) })}</label>
          <InputNumber id="clv-horizon" min={1} max={520} style={{ width: '100%' }} placeholder={t('clv.auto')} value={draft.horizon ?? null} onChange={(value) => setDraft({ ...draft, horizon: value ?? 0 })} />
        </div>
        <div style={{ alignSelf: 'end' }}>
          <Button type="primary" htmlType="submit" loading={busy}>
            {t('clv.run')}
          </Button>
        </div>
      </form>
    </Panel>
  )
}
