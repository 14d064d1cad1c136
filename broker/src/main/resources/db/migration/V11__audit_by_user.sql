-- Most events have no user, what agents did among them: nobody looks for those here.
drop index audit_by_user;
create index audit_by_user on audit_log (user_email, timestamp desc) where user_email is not null;
