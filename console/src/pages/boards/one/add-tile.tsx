import { FontSizeOutlined } from '@ant-design/icons'
import { useQuery } from '@tanstack/react-query'
import { Button, Select } from 'antd'
import { KINDS, isKind, titleOf, type Kind } from '@/analysis/kinds'
import { firstQuestion, type Names } from '@/analysis/question'
import { http } from '@/api/client'
import type { MetricList, QuestionList, Tile } from '@/api/types'
import { useLanguage } from '@/i18n/language'
import { Panel } from '@/ui/page'

/** A saved question, a new one to begin with, or a text. */
export function AddTile({ names, add, full }: { names: Names; add: (tile: Tile) => void; full: boolean }) {
  const { t } = useLanguage()
  const saved = useQuery({ queryKey: ['questions'], queryFn: ({ signal }) => http.get<QuestionList>('/questions', undefined, signal) })
  const metrics = useQuery({ queryKey: ['metrics'], queryFn: ({ signal }) => http.get<MetricList>('/metrics', undefined, signal) })
  const questions = (saved.data?.questions ?? []).filter((one) => isKind(one.kind))
  return (
    <Panel title={t('boards.add')}>
      <div className="row">
        <Select
          aria-label={t('boards.add.saved')}
          placeholder={t('boards.add.saved')}
          style={{ minWidth: 240 }}
          disabled={full || questions.length === 0}
          value={null}
          showSearch={{ optionFilterProp: 'label' }}
          options={questions.map((one) => ({ value: one.id, label: one.title }))}
          onChange={(id: number | null) => {
            const one = questions.find((question) => question.id === id)
            if (one) add({ kind: one.kind, title: one.title, text: '', question: one.question, width: 6, height: 3 })
          }}
        />
        <Select
          aria-label={t('boards.add.new')}
          placeholder={t('boards.add.new')}
          style={{ minWidth: 180 }}
          disabled={full || names.events.length === 0}
          value={null}
          options={KINDS.filter((kind) => firstQuestion(kind, names) !== null).map((kind) => ({ value: kind, label: t(titleOf(kind)) }))}
          onChange={(kind: Kind | null) => {
            const question = kind === null ? null : firstQuestion(kind, names)
            if (kind !== null && question !== null) add({ kind, title: t(titleOf(kind)), text: '', question, width: 6, height: 3 })
          }}
        />
        <Select
          aria-label={t('boards.add.metric')}
          placeholder={t('boards.add.metric')}
          style={{ minWidth: 180 }}
          disabled={full || (metrics.data?.metrics.length ?? 0) === 0}
          value={null}
          showSearch={{ optionFilterProp: 'label' }}
          options={(metrics.data?.metrics ?? []).map((one) => ({ value: one.metric.key, label: one.metric.name }))}
          onChange={(key: string | null) => {
            const one = metrics.data?.metrics.find((each) => each.metric.key === key)
            if (one) add({ kind: 'metric', title: one.metric.name, text: '', question: { metric: one.metric.key, range: { last: '30d' }, compare: true }, width: 4, height: 3 })
          }}
        />
        <Button icon={<FontSizeOutlined />} disabled={full} onClick={() => add({ kind: 'text', title: '', text: '', question: null, width: 12, height: 1 })}>
          {t('boards.add.text')}
        </Button>
      </div>
    </Panel>
  )
}
