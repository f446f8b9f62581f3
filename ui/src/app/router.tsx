import {
  createRootRoute,
  createRoute,
  createRouter,
  lazyRouteComponent,
  type RouterHistory,
} from '@tanstack/react-router'
import { MarketScreen } from '@/features/market'
import { readSymbolSearch } from '@/features/symbol/search'
import { NotFound } from './NotFound'
import { Shell } from './Shell'

const root = createRootRoute({ component: Shell, notFoundComponent: NotFound })

// The market is what the page opens with; every other screen is a chunk of its own.
const routes = [
  createRoute({ getParentRoute: () => root, path: '/', component: MarketScreen }),
  createRoute({
    getParentRoute: () => root,
    path: '/s/$symbol',
    validateSearch: readSymbolSearch,
    component: lazyRouteComponent(() => import('@/features/symbol/route'), 'Screen'),
  }),
  createRoute({
    getParentRoute: () => root,
    path: '/alerts',
    component: lazyRouteComponent(() => import('@/features/alerts/route'), 'Screen'),
  }),
  createRoute({
    getParentRoute: () => root,
    path: '/functions',
    component: lazyRouteComponent(() => import('@/features/functions/route'), 'Screen'),
  }),
  createRoute({
    getParentRoute: () => root,
    path: '/pipeline',
    component: lazyRouteComponent(() => import('@/features/pipeline/route'), 'Screen'),
  }),
  createRoute({
    getParentRoute: () => root,
    path: '/inspector',
    component: lazyRouteComponent(() => import('@/features/inspector/route'), 'Screen'),
  }),
  createRoute({
    getParentRoute: () => root,
    path: '/events',
    component: lazyRouteComponent(() => import('@/features/events/route'), 'Screen'),
  }),
  createRoute({
    getParentRoute: () => root,
    path: '/settings',
    component: lazyRouteComponent(() => import('@/features/settings/route'), 'Screen'),
  }),
]

/** The addresses of the page: every screen can be linked to. */
export function createPageRouter(history?: RouterHistory) {
  return createRouter({
    routeTree: root.addChildren(routes),
    defaultPreload: 'intent',
    scrollRestoration: false,
    ...(history && { history }),
  })
}

declare module '@tanstack/react-router' {
  interface Register {
    router: ReturnType<typeof createPageRouter>
  }
}
