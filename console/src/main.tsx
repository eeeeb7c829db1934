import { QueryClient, QueryClientProvider } from '@tanstack/react-query'
import { StrictMode } from 'react'
import { createRoot } from 'react-dom/client'
import { RouterProvider } from 'react-router'
import { Problem } from '@/api/client'
import { LanguageProvider } from '@/i18n/language'
import { router, warm } from '@/routes'
import { SessionProvider, sessionQuery } from '@/shell/session'
import { ThemeProvider } from '@/theme/theme'
import '@/theme/app.css'

const client = new QueryClient({
  defaultOptions: {
    queries: {
      staleTime: 15_000,
      refetchOnWindowFocus: false,
      // What the server refused it would refuse again; only silence and overload are worth another try.
      retry: (count, error) => count < 2 && error instanceof Problem && (error.status === 0 || error.status === 503),
    },
  },
})

// Who is reading and what they read are fetched side by side, before the first drawing.
client.query(sessionQuery).catch(() => undefined)
warm(location.pathname)

const root = document.getElementById('root')
if (!root) throw new Error('index.html has no #root')
createRoot(root).render(
  <StrictMode>
    <QueryClientProvider client={client}>
      <LanguageProvider>
        <ThemeProvider>
          <SessionProvider>
            <RouterProvider router={router} />
          </SessionProvider>
        </ThemeProvider>
      </LanguageProvider>
    </QueryClientProvider>
  </StrictMode>,
)
