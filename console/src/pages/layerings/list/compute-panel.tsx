import { Button, Collapse, DatePicker, Input, Select } from 'antd'
import dayjs from 'dayjs'
import { useNavigate } from 'react-router'
import type { LayeringKind, LayeringParameter } from '@/api/types'
import { useLanguage } from '@/i18n/language'
import { AsCode } from '@/ui/as-code'
import { Panel } from '@/ui/page'
import { ProblemView } from '@/ui/problem'
import { useUrlState } from '@/url/use-url-state'
import { parameterIsWrong, readParameter, showDefault } from '../parameters'
import { useCompute, type LayeringQuestion } from '../queries'

/** Kind, day and parameters, all kept in the address, then one button. */
export function ComputePanel({ kinds }: { kinds: LayeringKind[] }) {
  const { t, pick } = useLanguage()
  const navigate = useNavigate()
  const url = useUrlState()
  const compute = useCompute()
  const kind = kinds.find((one) => one.kind === url.get('kind')) ?? kinds[0]
  if (!kind) return null
  const asOf = url.get('as_of')
  const given = (parameter: LayeringParameter) => url.get(`p.${parameter.name}`)
  const wrong = kind.parameters.some((parameter) => parameterIsWrong(parameter, given(parameter)))
  const set = kind.parameters.filter((parameter) => given(parameter) !== '')

  function choose(next: string) {
    const cleared = Object.fromEntries([...url.parameters.keys()].filter((name) => name.startsWith('p.')).map((name) => [name, null]))
    url.set({ ...cleared, kind: next })
  }
  function questionOf(of: LayeringKind): LayeringQuestion {
    const parameters: Record<string, unknown> = {}
    for (const parameter of of.parameters) {
      const value = readParameter(parameter, given(parameter))
      if (value !== undefined) parameters[parameter.name] = value
    }
    return { kind: of.kind, ...(asOf ? { as_of: asOf } : {}), parameters }
  }
  async function go(of: LayeringKind) {
    const answer = await compute.mutateAsync(questionOf(of)).catch(() => null)
    if (answer) await navigate(`/people/layerings/${answer.id}`)
  }

  return (
    <Panel title={t('layerings.choose')}>
      <div className="stack">
        <div className="cards" role="group" aria-label={t('layerings.choose')}>
          {kinds.map((one) => (
            <button key={one.kind} type="button" className="choice" aria-pressed={one.kind === kind.kind} onClick={() => choose(one.kind)}>
              <strong>{pick(one.name)}</strong>
              <span>{pick(one.about)}</span>
            </button>
          ))}
        </div>
        {kind.parameters.length > 0 && (
          <Collapse
            size="small"
            {...(set.length > 0 ? { defaultActiveKey: ['parameters'] } : {})}
            items={[
              {
                key: 'parameters',
                label: t('layerings.parameters'),
                children: (
                  <div className="formgrid">
                    {kind.parameters.map((parameter) => (
                      <ParameterField key={parameter.name} parameter={parameter} value={given(parameter)} change={(value) => url.set({ [`p.${parameter.name}`]: value })} />
                    ))}
                  </div>
                ),
              },
            ]}
          />
        )}
        <div className="row" style={{ alignItems: 'flex-end' }}>
          <div className="labelled">
            <label htmlFor="as-of">{t('layerings.asof')}</label>
            <DatePicker id="as-of" value={asOf ? dayjs(asOf) : null} placeholder={t('layerings.asof.hint')} style={{ width: 220 }} onChange={(day) => url.set({ as_of: day ? day.format('YYYY-MM-DD') : null })} />
          </div>
          <Button type="primary" disabled={wrong} loading={compute.isPending} onClick={() => void go(kind)}>
            {t('layerings.compute')}
          </Button>
          {!wrong && <AsCode path="/layerings" body={questionOf(kind)} />}
        </div>
        {compute.error && <ProblemView error={compute.error} />}
      </div>
    </Panel>
  )
}

function ParameterField({ parameter, value, change }: { parameter: LayeringParameter; value: string; change: (value: string | null) => void }) {
  const { t, pick } = useLanguage()
  const id = `parameter-${parameter.name}`
  const fallback = showDefault(parameter.default, t('layerings.auto'))
  const choices = parameter.type === 'boolean' ? ['true', 'false'] : parameter.choices
  return (
    <div className="labelled">
      <label htmlFor={id}>{pick(parameter.about) || parameter.name}</label>
      {choices.length > 0 ? (
        <Select id={id} value={value || String(parameter.default)} options={choices.map((choice) => ({ value: choice, label: choice }))} onChange={(choice) => change(choice === String(parameter.default) ? null : choice)} />
      ) : (
        <Input id={id} value={value} status={parameterIsWrong(parameter, value) ? 'error' : ''} placeholder={t('layerings.parameters.default', { value: fallback })} onChange={(event) => change(event.target.value)} />
      )}
      {(parameter.type === 'numbers' || parameter.type === 'texts') && (
        <span className="small">{parameterIsWrong(parameter, value) ? t('layerings.parameters.notnumbers') : t('layerings.parameters.list')}</span>
      )}
    </div>
  )
}
