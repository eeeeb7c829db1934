import { BulbOutlined, GlobalOutlined, UserOutlined } from '@ant-design/icons'
import { useQueryClient } from '@tanstack/react-query'
import { Button, Dropdown } from 'antd'
import { useNavigate } from 'react-router'
import { http } from '@/api/client'
import { useLanguage } from '@/i18n/language'
import { useAppearance, type Appearance } from '@/theme/theme'
import { useAct } from '@/ui/use-act'
import { sessionKey, useUser } from './session'

export function LanguageMenu() {
  const { language, setLanguage, t } = useLanguage()
  return (
    <Dropdown
      trigger={['click']}
      menu={{
        selectedKeys: [language],
        items: [
          { key: 'zh-CN', label: '简体中文' },
          { key: 'en', label: 'English' },
        ],
        onClick: ({ key }) => setLanguage(key === 'en' ? 'en' : 'zh-CN'),
      }}
    >
      <Button type="text" icon={<GlobalOutlined />} aria-label={t('menu.language')} />
    </Dropdown>
  )
}

export function AppearanceMenu() {
  const { t } = useLanguage()
  const { appearance, setAppearance } = useAppearance()
  return (
    <Dropdown
      trigger={['click']}
      menu={{
        selectedKeys: [appearance],
        items: [
          { key: 'auto', label: t('menu.appearance.auto') },
          { key: 'light', label: t('menu.appearance.light') },
          { key: 'dark', label: t('menu.appearance.dark') },
        ],
        onClick: ({ key }) => setAppearance(key as Appearance),
      }}
    >
      <Button type="text" icon={<BulbOutlined />} aria-label={t('menu.appearance')} />
    </Dropdown>
  )
}

export function AccountMenu() {
  const { t } = useLanguage()
  const user = useUser()
  const navigate = useNavigate()
  const client = useQueryClient()
  const act = useAct()

  async function signOut() {
    if (await act(() => http.delete('/session'))) {
      client.clear()
      await client.invalidateQueries({ queryKey: sessionKey })
      location.assign('/signin')
    }
  }
  return (
    <Dropdown
      trigger={['click']}
      menu={{
        items: [
          { key: 'who', type: 'group', label: `${user.name} · ${t(`role.${user.role}`)}` },
          { key: 'account', label: t('menu.account') },
          { key: 'signout', label: t('menu.signout') },
        ],
        onClick: ({ key }) => {
          if (key === 'account') void navigate('/settings/account')
          if (key === 'signout') void signOut()
        },
      }}
    >
      <Button type="text" icon={<UserOutlined />} aria-label={t('menu.user')} />
    </Dropdown>
  )
}
