import { queryOptions, useQuery, useQueryClient } from '@tanstack/react-query'
import { createContext, use, useEffect, useMemo, type ReactNode } from 'react'
import { http, onSignedOut } from '@/api/client'
import type { Role, Session, SessionUser, WorkspaceInfo } from '@/api/types'
import { useLanguage } from '@/i18n/language'
import { ProblemView } from '@/ui/problem'
import { Splash } from '@/ui/splash'

export const sessionKey = ['session'] as const

export const sessionQuery = queryOptions({ queryKey: sessionKey, queryFn: ({ signal }) => http.get<Session>('/session', undefined, signal), staleTime: 60_000 })

const SessionContext = createContext<Session | null>(null)

const rank: Record<Role, number> = { viewer: 0, analyst: 1, operator: 2, admin: 3 }

export function SessionProvider({ children }: { children: ReactNode }) {
  const client = useQueryClient()
  const { suggestLanguage } = useLanguage()
  const session = useQuery(sessionQuery)
  const suggested = session.data?.workspace.language

  useEffect(() => {
    onSignedOut(() => void client.invalidateQueries({ queryKey: sessionKey }))
    return () => onSignedOut(null)
  }, [client])
  useEffect(() => {
    if (suggested) suggestLanguage(suggested)
  }, [suggested, suggestLanguage])

  if (session.data) return <SessionContext value={session.data}>{children}</SessionContext>
  if (session.error)
    return (
      <div className="body">
        <ProblemView error={session.error} retry={() => void session.refetch()} />
      </div>
    )
  return <Splash />
}

export function useSession(): Session {
  const session = use(SessionContext)
  if (!session) throw new Error('useSession outside SessionProvider')
  return session
}

export function useWorkspace(): WorkspaceInfo {
  return useSession().workspace
}

export function useUser(): SessionUser {
  const { user } = useSession()
  if (!user) throw new Error('useUser while signed out')
  return user
}

/** What this person's role lets them do. What they may not do is not drawn, rather than drawn grey. */
export function useCan(): (role: Role) => boolean {
  const { user } = useSession()
  return useMemo(() => (role: Role) => user !== null && rank[user.role] >= rank[role], [user])
}
