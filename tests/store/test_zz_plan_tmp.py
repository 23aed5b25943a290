import sqlalchemy as sa, time
from scim_server.store.filters import *
from scim_server.store.tables import user
from .population import insert_population
def test_plan(database, new_account, users, groups):
    a=new_account()
    with database.transaction(): insert_population(a,users,groups,seed=1,size=5000)
    with database.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as c:
        c.exec_driver_sql("ANALYZE")
    for t in ['userName eq "anna1@example.com" or userName eq "x"','externalId eq "A1"','emails.value eq "Anna"','emails[type eq "work" and value eq "istanbul"]','displayName sw "ann"','title eq "Straße"','manager eq "user-00010"','groups.value eq "group-00010"','groups.display eq "anna#5"','emails.type eq "mobile"','meta.lastModified gt "2024-01-01T00:00:00Z"']:
        w=condition(users,parse_filter(users,t),a,database.dialect)
        s=sa.select(user.c.id).where(user.c.account_id==a,w).order_by(user.c.created,user.c.id).limit(100)
        with database.reading() as c:
            t0=time.perf_counter(); n=len(c.execute(s).all()); t1=time.perf_counter()
            if database.dialect=="sqlite":
                text=str(s.compile(dialect=c.dialect,compile_kwargs={"literal_binds":True}))
                lines=[r[3] for r in c.exec_driver_sql("EXPLAIN QUERY PLAN "+text).all()]
            else:
                cc=s.compile(dialect=c.dialect); p=cc.construct_params()
                from psycopg.types.json import Jsonb
                cur=c.connection.driver_connection.cursor()
                cur.execute("EXPLAIN "+str(cc), {k:(Jsonb(v) if isinstance(v,dict) else v) for k,v in p.items()}); lines=[r[0] for r in cur.fetchall()]
            print("##",database.dialect,t,n,f"{(t1-t0)*1000:.1f} ms"); print("   ","\n    ".join(l[:150] for l in lines[:12]))
