import { autocompletion, closeBrackets, closeBracketsKeymap, closeCompletion, completionKeymap } from '@codemirror/autocomplete'
import { defaultKeymap, history, historyKeymap, indentWithTab } from '@codemirror/commands'
import { StandardSQL, sql } from '@codemirror/lang-sql'
import { HighlightStyle, bracketMatching, syntaxHighlighting } from '@codemirror/language'
import { Compartment, EditorState } from '@codemirror/state'
import { EditorView, keymap, lineNumbers } from '@codemirror/view'
import { tags } from '@lezer/highlight'
import { useEffect, useRef } from 'react'
import type { SqlSchema } from '@/api/types'
import type { Colors } from '@/theme/colors'
import { MONO } from '@/theme/fonts'
import { useAppearance } from '@/theme/theme'

interface EditorProps {
  value: string
  change: (text: string) => void
  run: () => void
  schema: SqlSchema | undefined
  insert: { text: string; replace: boolean } | null
  inserted: () => void
  label: string
}

function appearance(c: Colors, dark: boolean) {
  return [
    EditorView.theme(
      {
        '&': { backgroundColor: c.surface, color: c.text, fontSize: '13.5px' },
        '.cm-content': { fontFamily: MONO, minHeight: '150px', caretColor: c.text, padding: '10px 0' },
        '.cm-scroller': { maxHeight: '44vh', overflow: 'auto', lineHeight: '1.65' },
        '.cm-gutters': { backgroundColor: 'transparent', color: c.secondary, border: 'none' },
        '&.cm-focused': { outline: 'none' },
        '.cm-cursor': { borderLeftColor: c.text },
        '&.cm-focused > .cm-scroller > .cm-selectionLayer .cm-selectionBackground, .cm-selectionBackground': { backgroundColor: dark ? '#31483c' : '#cfe6d8' },
        '.cm-tooltip': { backgroundColor: c.raised, color: c.text, border: `1px solid ${c.lineStrong}`, borderRadius: '8px', overflow: 'hidden' },
        '.cm-tooltip-autocomplete ul li[aria-selected]': { backgroundColor: c.accentSoft, color: c.accentText },
      },
      { dark },
    ),
    syntaxHighlighting(
      HighlightStyle.define([
        { tag: tags.keyword, color: c.accentText, fontWeight: '600' },
        { tag: [tags.string, tags.special(tags.string)], color: dark ? '#e3b45c' : '#8f5a00' },
        { tag: tags.number, color: dark ? '#8fb8f0' : '#1f5fa8' },
        { tag: [tags.comment, tags.lineComment], color: c.secondary, fontStyle: 'italic' },
        { tag: [tags.typeName, tags.standard(tags.name)], color: dark ? '#c9a2dd' : '#7b3f98' },
      ]),
    ),
  ]
}

function language(schema: SqlSchema | undefined) {
  return sql({
    dialect: StandardSQL,
    upperCaseKeywords: true,
    schema: Object.fromEntries((schema?.views ?? []).map((view) => [view.name, view.columns.map((column) => ({ label: column.name, detail: column.type }))])),
  })
}

/** A SQL editor that completes keywords, tables and columns; Ctrl/⌘ Enter runs. */
export function Editor({ value, change, run, schema, insert, inserted, label }: EditorProps) {
  const { mode, colors } = useAppearance()
  const place = useRef<HTMLDivElement>(null)
  const view = useRef<EditorView | null>(null)
  const latest = useRef({ change, run })
  const parts = useRef({ language: new Compartment(), appearance: new Compartment() })
  const first = useRef({ value, schema, mode, colors, label })
  latest.current = { change, run }

  useEffect(() => {
    if (!place.current) return
    const start = first.current
    const editor = new EditorView({
      parent: place.current,
      state: EditorState.create({
        doc: start.value,
        extensions: [
          lineNumbers(),
          history(),
          bracketMatching(),
          closeBrackets(),
          autocompletion({ icons: false }),
          EditorView.lineWrapping,
          EditorView.contentAttributes.of({ 'aria-label': start.label }),
          keymap.of([
            {
              key: 'Mod-Enter',
              run: (view) => {
                closeCompletion(view)
                latest.current.run()
                return true
              },
            },
            ...closeBracketsKeymap,
            ...completionKeymap,
            ...defaultKeymap,
            ...historyKeymap,
            indentWithTab,
          ]),
          EditorView.updateListener.of((update) => {
            if (update.docChanged) latest.current.change(update.state.doc.toString())
          }),
          parts.current.language.of(language(start.schema)),
          parts.current.appearance.of(appearance(start.colors, start.mode === 'dark')),
        ],
      }),
    })
    view.current = editor
    return () => {
      editor.destroy()
      view.current = null
    }
  }, [])

  useEffect(() => {
    view.current?.dispatch({ effects: parts.current.language.reconfigure(language(schema)) })
  }, [schema])
  useEffect(() => {
    view.current?.dispatch({ effects: parts.current.appearance.reconfigure(appearance(colors, mode === 'dark')) })
  }, [mode, colors])
  useEffect(() => {
    const editor = view.current
    if (!insert || !editor) return
    const { from, to } = insert.replace ? { from: 0, to: editor.state.doc.length } : editor.state.selection.main
    editor.dispatch({ changes: { from, to, insert: insert.text }, selection: { anchor: from + insert.text.length } })
    editor.focus()
    inserted()
  }, [insert, inserted])

  return <div ref={place} className="code" />
}
