//! Builds the book into `target/book`: `cargo run -p kelvin-book --example html`.

fn main() -> anyhow::Result<()> {
    let folder = kelvin_book::root().join("target/book");
    kelvin_book::html::build(&folder)?;
    println!("{}", folder.join("index.html").display());
    Ok(())
}
