import { Tag } from 'antd'
import type { Trait } from '@/api/types'
import { useFormat } from '@/format/use-format'
import { useLanguage } from '@/i18n/language'

/** A trait's value, drawn by its type. */
export function TraitValue({ trait }: { trait: Trait }) {
  const { t } = useLanguage()
  const format = useFormat()
  const { value } = trait
  if (value === null || value === undefined) return <>—</>
  if (trait.type === 'boolean' && typeof value === 'boolean') return <>{value ? t('trait.yes') : t('trait.no')}</>
  if (trait.type === 'number' && typeof value === 'number') return <span className="num">{format.decimal(value, 6)}</span>
  if (trait.type === 'money' && isMoney(value)) {
    return (
      <span className="num">
        {String(value.amount)} {value.currency}
      </span>
    )
  }
  if (trait.type === 'place' && isPlace(value)) {
    const at = `${value.lat.toFixed(4)}, ${value.lng.toFixed(4)}`
    return value.name ? (
      <>
        {value.name} <span className="muted small">{at}</span>
      </>
    ) : (
      <span className="num">{at}</span>
    )
  }
  if (Array.isArray(value)) {
    return (
      <span className="row" style={{ gap: 4, flexWrap: 'wrap' }}>
        {value.slice(0, 20).map((one, at) => (
          <Tag key={at} style={{ marginInlineEnd: 0 }}>
            {words(one)}
          </Tag>
        ))}
        {value.length > 20 && <span className="muted small">{t('trait.more', { n: value.length - 20 })}</span>}
      </span>
    )
  }
  return <>{words(value)}</>
}

function words(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value)
}

function isMoney(value: unknown): value is { amount: string | number; currency: string } {
  return typeof value === 'object' && value !== null && 'amount' in value && 'currency' in value
}

function isPlace(value: unknown): value is { lat: number; lng: number; name?: string } {
  return typeof value === 'object' && value !== null && 'lat' in value && 'lng' in value && typeof value.lat === 'number' && typeof value.lng === 'number'
}
