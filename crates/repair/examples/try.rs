use winrefit_repair::{commands, plan::Request, target::Target};
fn main() {
    let a: Vec<String> = std::env::args().collect();
    let n = a.get(3).and_then(|s| s.parse().ok());
    let p = std::path::Path::new(&a[2]);
    let req = Request {
        recovery_partition: n,
        ..Default::default()
    };
    let t0 = std::time::Instant::now();
    let mut progress = |p| eprintln!("{:?} {:?}", t0.elapsed(), p);
    let r = match a[1].as_str() {
        "diagnose" => commands::diagnose(&Target::open_read(p, 0).unwrap(), n),
        "plan" => commands::plan(&Target::open_read(p, 0).unwrap(), &req, &mut progress),
        "fix" => commands::fix(
            &mut Target::open_write(p, 0).unwrap(),
            &req,
            &mut |_| true,
            &mut progress,
        ),
        "verify" => commands::verify(&Target::open_read(p, 0).unwrap(), n, &mut progress),
        "undo" => commands::undo(
            &mut Target::open_write(p, 0).unwrap(),
            &mut |_| true,
            &mut progress,
        ),
        _ => panic!(),
    };
    match r {
        Ok(r) => println!("{}", serde_json::to_string_pretty(&r).unwrap()),
        Err(e) => println!("ERROR {e}\n{}", e.next()),
    }
    eprintln!("{:?}", t0.elapsed());
}
