import { DownOutlined, UpOutlined } from '@ant-design/icons'
import { useQuery } from '@tanstack/react-query'
import { Button, DatePicker, Input, InputNumber, Select } from 'antd'
import dayjs from 'dayjs'
import { useEffect, useState } from 'react'
import { http } from '@/api/client'
import type { Segment } from '@/api/types'
import { useLayering, useLayerings } from '@/pages/layerings/queries'
import { useKindNames } from '@/pages/layerings/use-kind-names'
import { useDelayed } from '@/format/use-delayed'
import { useFormat } from '@/format/use-format'
import { useLanguage } from '@/i18n/language'
import { numberOf } from '@/url/use-url-state'
import { sorts, type FilterName, type FilterState } from './use-filters'

export function Filters({ filters }: { filters: FilterState }) {
  const { t } = useLanguage()
  const [text, setText] = useState(filters.get('q'))
  const [open, setOpen] = useState(filters.count > 0)
  const typed = useDelayed(text)
  const { set } = filters
  useEffect(() => set({ q: typed }), [typed, set])

  return (
    <section className="panel inside" aria-label={t('people.filters')}>
      <div className="row">
        <Input.Search allowClear style={{ flex: '1 1 260px', maxWidth: 440 }} value={text} placeholder={t('people.search')} aria-label={t('people.search')} onChange={(event) => setText(event.target.value)} onSearch={(value) => set({ q: value })} />
        <Select style={{ width: 170 }} aria-label={t('people.sort')} value={filters.get('sort') || 'uid'} options={sorts.map((sort) => ({ value: sort, label: t(`people.sort.${sort}`) }))} onChange={(sort: string) => set({ sort: sort === 'uid' ? null : sort })} />
        <Button onClick={() => setOpen(!open)} aria-expanded={open} icon={open ? <UpOutlined /> : <DownOutlined />} iconPlacement="end">
          {t('people.filters')}
          {filters.count > 0 && ` (${filters.count})`}
        </Button>
        {filters.active && (
          <Button
            type="text"
            onClick={() => {
              setText('')
              filters.clear()
            }}
          >
            {t('action.clear')}
          </Button>
        )}
      </div>
      {open && <MoreFilters filters={filters} />}
    </section>
  )
}

function MoreFilters({ filters }: { filters: FilterState }) {
  const { t } = useLanguage()
  const { place } = useFormat()
  return (
    <div className="formgrid" style={{ marginTop: 14 }}>
      <LayerFilter filters={filters} />
      <SegmentFilter filters={filters} />
      <NumberRange label={t('people.orders')} from="min_orders" to="max_orders" filters={filters} />
      <NumberRange label={t('people.revenue', { currency: place.currency })} from="min_revenue" to="max_revenue" filters={filters} />
      <DayRange label={t('people.last')} filters={filters} />
    </div>
  )
}

function LayerFilter({ filters }: { filters: FilterState }) {
  const { t } = useLanguage()
  const layerings = useLayerings()
  const { savedName } = useKindNames()
  const chosen = filters.get('layer')
  const at = chosen.lastIndexOf(':')
  const [layeringId, setLayeringId] = useState(at > 0 ? chosen.slice(0, at) : '')
  return (
    <div className="labelled">
      <label htmlFor="filter-layering">{t('people.layer')}</label>
      <Select
        id="filter-layering"
        allowClear
        placeholder={t('people.any')}
        loading={layerings.isPending}
        {...(layeringId ? { value: layeringId } : {})}
        options={(layerings.data?.saved ?? []).map((one) => ({ value: String(one.id), label: savedName(one) }))}
        onChange={(id: string | undefined) => {
          setLayeringId(id ?? '')
          filters.set({ layer: null })
        }}
      />
      {layeringId && <LayerOf id={layeringId} chosen={chosen} choose={(layer) => filters.set({ layer })} />}
    </div>
  )
}

function LayerOf({ id, chosen, choose }: { id: string; chosen: string; choose: (layer: string | null) => void }) {
  const { t, pick } = useLanguage()
  const layering = useLayering(id)
  return (
    <Select
      allowClear
      aria-label={t('layering.layer')}
      placeholder={t('layering.layer')}
      loading={layering.isPending}
      {...(chosen ? { value: chosen } : {})}
      options={(layering.data?.layers ?? []).map((layer) => ({ value: `${id}:${layer.key}`, label: `${pick(layer.name)} (${layer.people})` }))}
      onChange={(layer: string | undefined) => choose(layer ?? null)}
    />
  )
}

function SegmentFilter({ filters }: { filters: FilterState }) {
  const { t } = useLanguage()
  const segments = useQuery({ queryKey: ['segments'], queryFn: ({ signal }) => http.get<{ segments: Segment[] }>('/segments', undefined, signal) })
  const chosen = filters.get('segment')
  return (
    <div className="labelled">
      <label htmlFor="filter-segment">{t('people.segment')}</label>
      <Select
        id="filter-segment"
        allowClear
        placeholder={t('people.any')}
        loading={segments.isPending}
        {...(chosen ? { value: chosen } : {})}
        options={(segments.data?.segments ?? []).map((one) => ({ value: one.key, label: `${one.name} (${one.people})` }))}
        onChange={(segment: string | undefined) => filters.set({ segment: segment ?? null })}
      />
    </div>
  )
}

function NumberRange({ label, from, to, filters }: { label: string; from: FilterName; to: FilterName; filters: FilterState }) {
  const { t } = useLanguage()
  const field = (name: FilterName, word: string) => (
    <InputNumber min={0} style={{ width: '50%' }} aria-label={`${label} ${word}`} placeholder={word} value={numberOf(filters.get(name)) ?? null} onChange={(value) => filters.set({ [name]: value === null ? null : String(value) })} />
  )
  return (
    <div className="labelled" role="group" aria-label={label}>
      <span>{label}</span>
      <div className="row" style={{ flexWrap: 'nowrap', gap: 6 }}>
        {field(from, t('people.min'))}
        {field(to, t('people.max'))}
      </div>
    </div>
  )
}

function DayRange({ label, filters }: { label: string; filters: FilterState }) {
  const { t } = useLanguage()
  const field = (name: FilterName, word: string) => {
    const value = filters.get(name)
    return <DatePicker style={{ width: '50%' }} aria-label={`${label} ${word}`} placeholder={word} value={value ? dayjs(value) : null} onChange={(day) => filters.set({ [name]: day ? day.format('YYYY-MM-DD') : null })} />
  }
  return (
    <div className="labelled" role="group" aria-label={label}>
      <span>{label}</span>
      <div className="row" style={{ flexWrap: 'nowrap', gap: 6 }}>
        {field('last_purchase_after', t('people.after'))}
        {field('last_purchase_before', t('people.before'))}
      </div>
    </div>
  )
}
