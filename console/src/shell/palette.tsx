import { ApartmentOutlined, CompassOutlined, SearchOutlined, TagsOutlined, UserOutlined } from '@ant-design/icons'
import { useQuery } from '@tanstack/react-query'
import { Input, Modal } from 'antd'
import { useEffect, useMemo, useRef, useState, type KeyboardEvent, type ReactNode } from 'react'
import { useNavigate } from 'react-router'
import { http } from '@/api/client'
import { addressOf } from '@/analysis/address'
import { isKind, titleOf } from '@/analysis/kinds'
import type { QuestionList, SearchResult } from '@/api/types'
import { useDelayed } from '@/format/use-delayed'
import { useLanguage } from '@/i18n/language'
import { useKindNames } from '@/pages/layerings/use-kind-names'
import { personAddress } from '@/ui/person-link'
import { places } from './navigation'
import { useCan } from './session'
import './palette.css'

interface Entry {
  key: string
  group: string
  label: string
  note?: string
  icon: ReactNode
  path: string
}

/** Finds any page, person, segment or layering; arrows and Enter, or a click. */
export function Palette({ close }: { close: () => void }) {
  const { t } = useLanguage()
  const { kindName } = useKindNames()
  const navigate = useNavigate()
  const can = useCan()
  const [text, setText] = useState('')
  const [at, setAt] = useState(0)
  const list = useRef<HTMLUListElement>(null)
  const asked = useDelayed(text.trim(), 160)
  const found = useQuery({
    queryKey: ['search', asked],
    queryFn: ({ signal }) => http.get<SearchResult>('/search', { q: asked }, signal),
    enabled: asked.length > 0,
    placeholderData: (previous) => previous,
  })

  const saved = useQuery({ queryKey: ['questions'], queryFn: ({ signal }) => http.get<QuestionList>('/questions', undefined, signal), staleTime: 60_000 })

  const entries = useMemo<Entry[]>(() => {
    const words = text.trim().toLowerCase()
    const pages = places
      .filter((place) => place.role === undefined || can(place.role))
      .map((place) => ({ key: place.path, group: t('palette.pages'), label: t(place.label), icon: place.icon, path: place.path }))
      .filter((entry) => words === '' || entry.label.toLowerCase().includes(words) || entry.path.includes(words))
    const result = words === '' ? undefined : found.data
    const people = (result?.people ?? []).map((person) => ({
      key: `p${person.uid}`,
      group: t('nav.people'),
      label: person.name ?? person.id ?? `uid ${person.uid}`,
      note: person.name && person.id ? person.id : `uid ${person.uid}`,
      icon: <UserOutlined />,
      path: personAddress(person.uid),
    }))
    const segments = (result?.segments ?? []).map((segment) => ({ key: `s${segment.key}`, group: t('nav.segments'), label: segment.name, icon: <TagsOutlined />, path: `/people/segments/${encodeURIComponent(segment.key)}` }))
    const layerings = (result?.layerings ?? []).map((layering) => ({
      key: `l${layering.id}`,
      group: t('nav.layerings'),
      label: kindName(layering.kind),
      note: layering.as_of,
      icon: <ApartmentOutlined />,
      path: `/people/layerings/${layering.id}`,
    }))
    const questions = (can('analyst') && words !== '' ? (saved.data?.questions ?? []) : [])
      .filter((one) => one.title.toLowerCase().includes(words))
      .map((one) => ({ key: `q${one.id}`, group: t('palette.questions'), label: one.title, note: isKind(one.kind) ? t(titleOf(one.kind)) : one.kind, icon: <CompassOutlined />, path: addressOf(one) }))
    return [...pages, ...questions, ...people, ...segments, ...layerings]
  }, [text, found.data, saved.data, t, kindName, can])

  const chosen = Math.min(at, Math.max(0, entries.length - 1))
  useEffect(() => {
    list.current?.querySelector('[aria-selected="true"]')?.scrollIntoView({ block: 'nearest' })
  }, [chosen])

  function go(entry: Entry | undefined) {
    if (!entry) return
    close()
    void navigate(entry.path)
  }
  function key(event: KeyboardEvent) {
    if (event.nativeEvent.isComposing) return
    if (event.key === 'ArrowDown') setAt(Math.min(chosen + 1, entries.length - 1))
    else if (event.key === 'ArrowUp') setAt(Math.max(chosen - 1, 0))
    else if (event.key === 'Enter') go(entries[chosen])
    else return
    event.preventDefault()
  }

  return (
    <Modal open onCancel={close} footer={null} closable={false} width={560} style={{ top: 72 }} styles={{ container: { padding: 0, overflow: 'hidden' } }} title={<span className="sr">{t('palette.open')}</span>} className="palette">
      <Input
        // The reader pressed a key to get here: the cursor belongs in the box.
        // eslint-disable-next-line jsx-a11y/no-autofocus
        autoFocus
        size="large"
        variant="borderless"
        prefix={<SearchOutlined aria-hidden="true" />}
        placeholder={t('palette.placeholder')}
        aria-label={t('palette.placeholder')}
        role="combobox"
        aria-expanded="true"
        aria-controls="palette-list"
        aria-activedescendant={entries[chosen] ? `palette-${chosen}` : undefined}
        value={text}
        onChange={(event) => {
          setText(event.target.value)
          setAt(0)
        }}
        onKeyDown={key}
      />
      <ul id="palette-list" role="listbox" ref={list} className="palette-list" aria-label={t('palette.open')}>
        {entries.map((entry, index) => (
          <li key={entry.key} role="presentation">
            {entries[index - 1]?.group !== entry.group && <div className="palette-group">{entry.group}</div>}
            {/* The keyboard is handled by the box above. */}
            {/* eslint-disable-next-line jsx-a11y/click-events-have-key-events */}
            <div id={`palette-${index}`} role="option" tabIndex={-1} aria-selected={index === chosen} className="palette-entry" onClick={() => go(entry)} onMouseMove={() => setAt(index)}>
              <span aria-hidden="true">{entry.icon}</span>
              <span>{entry.label}</span>
              {entry.note && <span className="muted small">{entry.note}</span>}
            </div>
          </li>
        ))}
      </ul>
      {entries.length === 0 && <p className="palette-none">{found.isFetching ? t('palette.searching') : t('palette.none')}</p>}
    </Modal>
  )
}
