-- What an event says of the owner of a wallet: a digest that nobody can guess the owner from
-- without the salt, which stands on the wallet until it is erased.
create or replace function pgwallet._owner_digest(p_owner_salt uuid, p_owner_id text)
returns text
language sql
stable
begin atomic
  select encode(sha256(uuid_send(p_owner_salt) || convert_to(p_owner_id, 'UTF8')), 'hex');
end;
