import { Component, type ReactNode } from 'react'
import { ProblemView } from '@/ui/problem'

/** A page that fails to draw says so in its place; the navigation stays. */
export class PageBoundary extends Component<{ children: ReactNode }, { error: unknown }> {
  override state: { error: unknown } = { error: null }

  static getDerivedStateFromError(error: unknown) {
    return { error }
  }

  override render() {
    if (this.state.error !== null) return <ProblemView error={this.state.error} retry={() => location.reload()} />
    return this.props.children
  }
}
