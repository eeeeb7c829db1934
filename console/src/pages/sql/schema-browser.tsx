import { Collapse } from 'antd'
import type { SqlSchema } from '@/api/types'
import { useLanguage } from '@/i18n/language'
import { Panel } from '@/ui/page'

interface SchemaBrowserProps {
  schema: SqlSchema
  insert: (name: string) => void
  use: (statement: string) => void
}

export function SchemaBrowser({ schema, insert, use }: SchemaBrowserProps) {
  const { t, pick } = useLanguage()
  return (
    <div className="stack">
      {schema.examples.length > 0 && (
        <Panel title={t('sql.examples')}>
          <div className="stack tight">
            {schema.examples.map((example) => (
              <button key={example.sql} type="button" className="choice" style={{ padding: '8px 12px' }} onClick={() => use(example.sql)}>
                {pick(example.title)}
              </button>
            ))}
          </div>
        </Panel>
      )}
      <Panel title={t('sql.tables')}>
        <Collapse
          ghost
          size="small"
          className="schema"
          items={schema.views.map((view) => ({
            key: view.name,
            label: (
              <>
                <span className="mono">{view.name}</span>
                <div className="small muted">{pick(view.about)}</div>
              </>
            ),
            children: (
              <ul className="schema-columns">
                {view.columns.map((column) => (
                  <li key={column.name}>
                    <button type="button" onClick={() => insert(column.name)} aria-label={t('sql.insert', { name: column.name })}>
                      <span className="mono">{column.name}</span>
                      <span className="small muted">{column.type}</span>
                    </button>
                    <div className="small muted">{pick(column.about)}</div>
                  </li>
                ))}
              </ul>
            ),
          }))}
        />
      </Panel>
    </div>
  )
}
