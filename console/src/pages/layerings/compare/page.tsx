import { Select } from 'antd'
import { useNavigate, useParams } from 'react-router'
import { useFormat } from '@/format/use-format'
import { useLanguage } from '@/i18n/language'
import type { MessageKey } from '@/i18n/messages'
import { Loaded } from '@/ui/loaded'
import { Page } from '@/ui/page'
import { Stats } from '@/ui/stats'
import { FlowChart } from '../flow-chart'
import { useComparison, useLayering, useLayerings } from '../queries'
import { useKindNames } from '../use-kind-names'

function verdictOf(rand: number): MessageKey {
  if (rand >= 0.8) return 'compare.verdict.same'
  return rand >= 0.1 ? 'compare.verdict.related' : 'compare.verdict.different'
}

export default function ComparePage() {
  const { id = '', other = '' } = useParams()
  const { t, pick } = useLanguage()
  const format = useFormat()
  const comparison = useComparison(id, other)
  const a = useLayering(id)
  const b = useLayering(other)
  const title = (layering: typeof a.data) => (layering ? `${pick(layering.name)} · ${format.day(layering.as_of)}` : '…')

  return (
    <Page title={t('compare.title')} about={t('compare.about', { a: title(a.data), b: title(b.data) })}>
      <div className="formgrid">
        <Chooser label={t('compare.first')} value={id} other={other} address={(next) => `/people/layerings/${next}/compare/${other}`} />
        <Chooser label={t('compare.second')} value={other} other={id} address={(next) => `/people/layerings/${id}/compare/${next}`} />
      </div>
      <Loaded query={comparison} rows={10}>
        {(data) => (
          <>
            <Stats
              label={t('compare.title')}
              items={[
                { key: 'verdict', label: t('compare.verdict'), value: <span style={{ fontSize: 18 }}>{t(verdictOf(data.adjusted_rand))}</span> },
                { key: 'rand', label: t('compare.rand'), value: format.fixed(data.adjusted_rand, 3), detail: t('compare.rand.about') },
                { key: 'information', label: t('compare.information'), value: format.fixed(data.mutual_information, 3), detail: t('compare.information.about') },
                { key: 'both', label: t('compare.both'), value: format.count(data.people_in_both) },
              ]}
            />
            {a.data && b.data && (
              <FlowChart id="flows" title={t('compare.flows')} summary={t('compare.summary', { n: data.people_in_both })} flows={data.flows} left={a.data.layers} right={b.data.layers} />
            )}
          </>
        )}
      </Loaded>
    </Page>
  )
}

function Chooser({ label, value, other, address }: { label: string; value: string; other: string; address: (next: string) => string }) {
  const navigate = useNavigate()
  const layerings = useLayerings()
  const { savedName } = useKindNames()
  return (
    <div className="labelled">
      <label htmlFor={`compare-${label}`}>{label}</label>
      <Select
        id={`compare-${label}`}
        loading={layerings.isPending}
        value={value}
        options={(layerings.data?.saved ?? []).filter((one) => String(one.id) !== other).map((one) => ({ value: String(one.id), label: savedName(one) }))}
        onChange={(next) => void navigate(address(next))}
      />
    </div>
  )
}
