/** By JSON pointer: what a setting was, and what it is. */
export type SettingChanges = Readonly<Record<string, { readonly old?: unknown; readonly new?: unknown }>>;

export function ChangeList({ changes }: { readonly changes: SettingChanges }) {
  return (
    <ul className="diff">
      {Object.entries(changes).map(([path, change]) => (
        <li key={path}>
          <code>{path}</code>
          {"old" in change && (
            <del>
              <span className="sr">before: </span>
              {JSON.stringify(change.old)}
            </del>
          )}
          {"new" in change && (
            <ins>
              <span className="sr">after: </span>
              {JSON.stringify(change.new)}
            </ins>
          )}
        </li>
      ))}
    </ul>
  );
}
