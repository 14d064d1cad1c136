import { Dialog as Radix } from "radix-ui";
import { useState, type ReactNode, type SubmitEvent } from "react";
import { Button, Failure, TextField } from "./basics";

/**
 * A dialog that keeps the focus. Its backdrop is our own: Radix' overlay writes a style element, which
 * the Content-Security-Policy forbids.
 */
export function Dialog({
  open,
  title,
  description,
  onClose,
  footer,
  wide = false,
  children,
}: {
  readonly open: boolean;
  readonly title: string;
  readonly description?: string;
  /** Left out: it cannot be closed without an answer. */
  readonly onClose: (() => void) | undefined;
  readonly footer?: ReactNode;
  readonly wide?: boolean;
  readonly children: ReactNode;
}) {
  return (
    <Radix.Root
      open={open}
      onOpenChange={(next) => {
        if (!next) {
          onClose?.();
        }
      }}
    >
      <Radix.Portal>
        <div className="backdrop" />
        <Radix.Content
          className={wide ? "dialog wide" : "dialog"}
          {...(description === undefined ? { "aria-describedby": undefined } : {})}
          onInteractOutside={(event) => {
            event.preventDefault();
          }}
        >
          <header>
            <Radix.Title asChild>
              <h2>{title}</h2>
            </Radix.Title>
            {onClose !== undefined && (
              <Radix.Close className="button quiet icon" aria-label="Close">
                <svg viewBox="0 0 16 16" aria-hidden="true">
                  <path d="m4 4 8 8m0-8-8 8" />
                </svg>
              </Radix.Close>
            )}
          </header>
          {description !== undefined && <Radix.Description>{description}</Radix.Description>}
          <div className="dialog-body">{children}</div>
          {footer !== undefined && <footer>{footer}</footer>}
        </Radix.Content>
      </Radix.Portal>
    </Radix.Root>
  );
}

interface Question {
  readonly open: boolean;
  readonly title: string;
  /** What has to be typed; empty for what can be undone. */
  readonly typed: string;
  readonly action: string;
  readonly kind?: "primary" | "danger";
  readonly onConfirm: () => Promise<unknown>;
  readonly onClose: () => void;
  readonly children: ReactNode;
}

/** Asks once more: shows what it hits, and wants the name typed of what cannot be undone. */
export function Confirm(question: Question) {
  return (
    <Dialog open={question.open} title={question.title} onClose={question.onClose}>
      <ConfirmForm {...question} />
    </Dialog>
  );
}

function ConfirmForm({ typed, action, kind = "danger", onConfirm, onClose, children }: Question) {
  const [text, setText] = useState("");
  const [busy, setBusy] = useState(false);
  const [failure, setFailure] = useState<unknown>(null);

  async function submit(event: SubmitEvent<HTMLFormElement>) {
    event.preventDefault();
    if (text.trim() !== typed) {
      return;
    }
    setBusy(true);
    setFailure(null);
    try {
      await onConfirm();
      onClose();
    } catch (error) {
      setFailure(error);
    } finally {
      setBusy(false);
    }
  }

  return (
    <form className="stack" onSubmit={(event) => void submit(event)}>
      {children}
      {typed !== "" && (
        <TextField
          label={`Type ${typed} to confirm`}
          value={text}
          onChange={setText}
          autoComplete="off"
          spellCheck={false}
        />
      )}
      {failure !== null && <Failure error={failure} />}
      <div className="actions">
        <Button kind={kind} submit disabled={busy || text.trim() !== typed}>
          {busy ? "Working…" : action}
        </Button>
        <Button onClick={onClose}>Cancel</Button>
      </div>
    </form>
  );
}
