import { App, Button } from 'antd'
import { useQueryClient } from '@tanstack/react-query'
import { useNavigate } from 'react-router'
import { http } from '@/api/client'
import type { Person } from '@/api/types'
import { useLanguage } from '@/i18n/language'
import { useAct } from '@/ui/use-act'

/** For good: it says what goes and how much, and asks once more. */
export function EraseButton({ person }: { person: Person }) {
  const { t } = useLanguage()
  const { modal, message } = App.useApp()
  const act = useAct()
  const client = useQueryClient()
  const navigate = useNavigate()
  return (
    <Button
      danger
      onClick={() =>
        void modal.confirm({
          title: t('person.erase.title', { uid: String(person.uid) }),
          content: t('person.erase.about', { orders: person.portrait.orders }),
          okText: t('person.erase.go'),
          okButtonProps: { danger: true },
          cancelText: t('action.cancel'),
          onOk: () =>
            act(async () => {
              const answer = await http.post<{ events_removed: number }>(`/people/${encodeURIComponent(`uid:${person.uid}`)}/erase`)
              void message.success(t('person.erase.done', { n: answer.events_removed }))
              await navigate('/people')
              await client.invalidateQueries()
            }),
        })
      }
    >
      {t('person.erase')}
    </Button>
  )
}
