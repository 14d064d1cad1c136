import type { ComponentType, ReactNode } from "react";
import { Forbidden } from "../pages/Forbidden";
import { useCan } from "./session";

/**
 * A page for those who may see it. What is not permitted is never asked for: no call, no stream, no
 * raw error, but a page that says whom to ask.
 */
export function guarded(permission: string, Page: ComponentType): () => ReactNode {
  return function Guarded() {
    const can = useCan();
    return can(permission) ? <Page /> : <Forbidden permission={permission} />;
  };
}
