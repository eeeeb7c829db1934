import type { KnownId, Person, Trait } from '@/api/types'
import { useFormat } from '@/format/use-format'
import { useLanguage } from '@/i18n/language'
import { DataTable } from '@/ui/data-table'
import { Pill } from '@/ui/pill'
import { TraitValue } from '@/ui/trait-value'

export function FactsTab({ person }: { person: Person }) {
  const { t } = useLanguage()
  const format = useFormat()
  return (
    <div className="stack">
      <h3 style={{ fontSize: 15 }}>{t('person.ids')}</h3>
      <DataTable<KnownId>
        size="small"
        rowKey={(one) => `${one.kind}:${one.id}`}
        dataSource={person.distinct_ids}
        pagination={false}
        scroll={{ x: 520 }}
        columns={[
          { title: t('person.ids.kind'), dataIndex: 'kind' },
          { title: t('person.ids.id'), render: (_, one) => <span className="mono">{one.id}</span> },
          { title: t('person.ids.source'), render: (_, one) => one.source },
          { title: t('person.ids.since'), render: (_, one) => <span title={format.instantFull(one.since)}>{format.dayOf(one.since)}</span> },
        ]}
      />
      <h3 style={{ fontSize: 15 }}>{t('person.traits')}</h3>
      {person.traits.length === 0 ? (
        <p className="muted">{t('person.traits.none')}</p>
      ) : (
        <DataTable<Trait>
          size="small"
          rowKey={(trait) => trait.name}
          dataSource={person.traits}
          pagination={false}
          scroll={{ x: 560 }}
          columns={[
            {
              title: t('person.traits.name'),
              render: (_, trait) => (
                <>
                  {trait.name} {trait.pii && <Pill tone={trait.pii === 'sensitive' ? 'warn' : 'plain'}>{t(trait.pii === 'sensitive' ? 'trait.sensitive' : 'trait.personal')}</Pill>}
                </>
              ),
            },
            { title: t('person.traits.value'), render: (_, trait) => <TraitValue trait={trait} /> },
            { title: t('person.ids.source'), dataIndex: 'source' },
            { title: t('person.traits.confidence'), align: 'right', render: (_, trait) => format.percent(trait.confidence, 0) },
            { title: t('person.traits.at'), render: (_, trait) => <span title={format.instantFull(trait.at)}>{format.dayOf(trait.at)}</span> },
          ]}
        />
      )}
    </div>
  )
}
