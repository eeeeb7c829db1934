import type { ReactNode } from 'react'
import { Link, useParams } from 'react-router'
import { useLanguage } from '@/i18n/language'
import { useCan } from '@/shell/session'
import { Page } from '@/ui/page'
import { oneOf } from '@/url/use-url-state'
import { AccountSection } from './account-section'
import { AuditSection } from './audit-section'
import { TeamSection } from './team-section'
import { TokensSection } from './tokens-section'
import { WorkspaceSection } from './workspace-section'

const everyone = ['workspace', 'account'] as const
const admins = ['workspace', 'team', 'tokens', 'audit', 'account'] as const
type Section = (typeof admins)[number]

const contents: Record<Section, ReactNode> = {
  workspace: <WorkspaceSection />,
  team: <TeamSection />,
  tokens: <TokensSection />,
  audit: <AuditSection />,
  account: <AccountSection />,
}

export default function SettingsPage() {
  const { t } = useLanguage()
  const can = useCan()
  const { section = '' } = useParams()
  const open: readonly Section[] = can('admin') ? admins : everyone
  const here: Section = can('admin') ? oneOf(section, admins) : oneOf(section, everyone)
  return (
    <Page title={`${t('settings.title')} · ${t(`settings.section.${here}`)}`}>
      <div className="settings">
        <nav aria-label={t('settings.title')}>
          {open.map((name) => (
            <Link key={name} to={`/settings/${name}`} aria-current={name === here ? 'page' : undefined}>
              {t(`settings.section.${name}`)}
            </Link>
          ))}
        </nav>
        <div className="stack">{contents[here]}</div>
      </div>
    </Page>
  )
}
