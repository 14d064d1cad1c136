import { useQuery } from "@tanstack/react-query";
import { api, done } from "../../api/client";
import { Failure, Loading } from "../../parts/basics";
import { Panel } from "../../parts/Page";

/** The table that the broker itself judges by. */
export function Roles() {
  const { data, error } = useQuery({ queryKey: ["roles"], queryFn: () => done(api.GET("/api/v1/roles")) });
  if (error !== null) {
    return <Failure error={error} />;
  }
  if (data === undefined) {
    return <Loading />;
  }
  return (
    <Panel title="Who may do what" flush>
      <div className="table-scroll" tabIndex={0} role="group" aria-label="Roles and permissions">
        <table className="table matrix" aria-label="Roles and permissions">
          <thead>
            <tr>
              <th scope="col">Permission</th>
              {data.roles.map((role) => (
                <th key={role.role} scope="col">
                  {role.role}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {data.permissions.map((permission) => (
              <tr key={permission.permission}>
                <th scope="row">
                  <code>{permission.permission}</code>
                  {permission.global && <span className="muted"> not with a limit to some agents</span>}
                </th>
                {data.roles.map((role) => (
                  <td key={role.role}>
                    {role.permissions.includes(permission.permission) ? (
                      <>
                        <span aria-hidden="true">✓</span>
                        <span className="sr">yes</span>
                      </>
                    ) : (
                      <span className="sr">no</span>
                    )}
                  </td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </Panel>
  );
}
