import type { ComponentType, ReactNode } from "react";
import { Forbidden } from "../pages/Forbidden";
import { useCan, useMe } from "./session";

/**
 * A page for those who may see it. What is not permitted is never asked for: no call, no stream, no
 * raw error, but a page that says whom to ask.
 */
export function guarded(permission: string, Page: ComponentType, allAgents = false): () => ReactNode {
  return function Guarded() {
    const can = useCan();
    const { scope } = useMe();
    if (!can(permission)) {
      return <Forbidden permission={permission} />;
    }
    return allAgents && scope.length > 0 ? <Forbidden permission={permission} limited /> : <Page />;
  };
}
