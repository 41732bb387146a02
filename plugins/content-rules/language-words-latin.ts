import type {Told} from './language-words.ts';

/** The languages of Latin letters that are neither Germanic nor Romance. */
export const otherLatin: readonly Told[] = [
	{
		codes: 'fi',
		words: `ja on ei että se oli hän mutta kun myös joka jotka ovat tai niin kuin jos ole olla mitä nyt vain sen siitä sitä minä sinä me te he minun sinun hänen meidän
			teidän heidän tämä nämä tuo ne jo vielä kanssa jälkeen ennen koska siis sitten tässä siellä täällä kaikki kaikkien paljon hyvin voi voivat voit saa täytyy
			pitää olen olet olemme ollut olisi eivät en et emme miten miksi missä kuka mikä mukaan kautta ilman yli alle aina koskaan usein ehkä sekä eli vaan vaikka
			jossa jonka joita niitä niiden noin kiitos ettei`,
		letters: 'äö',
		ends: 'ssa ssä sta stä lla llä lta ltä lle nen ksi inen isen ista tta ttä een iin aan ään oon uus ien vat vät neet taan sti',
	},
	{
		codes: 'et',
		words: `ja on ei et see oli ta kui ka mis kes aga või siis oma nii olla veel ning välja seda selle need nad me te ma sa mina sina tema meie teie nende mu su ma
			kuid juba väga ainult kõik kõige pärast enne sest kus siin seal nüüd alati mitte pole tuleb peab saab võib olen oleme oled olnud oleks mille kuidas miks
			koos läbi ilma üle all kuni vahel palun`,
		letters: 'äõöüšž',
		ends: 'mine mise sse ste dega dele vad tud nud ist gi ks line',
	},
	{
		codes: 'hu',
		words: `a az és hogy nem is van egy volt meg de csak ez azt már ki mint el ha vagy még be sem ezt mi én te ő mi ti ők engem téged őt nekem neked neki aki ami amely
			amit ahol amikor ezért azért mert akkor itt ott most után előtt között alatt fölött nélkül szerint által minden mindig soha sok kell lehet lesz lett lenne
			vannak voltak nincs nagyon jól több igen pedig így úgy ilyen olyan egyik másik saját majd kérem hogyan miért hol ekkor tud tudja azonban ennek annak arra
			erre ezek azok át fel le`,
		letters: 'áéíóöőúüű',
		ends: 'ban ben nak nek ból ből hoz hez val vel ság ség tól től ról ről ott ett ani eni ják jük nek tam',
	},
	{
		codes: 'pl',
		words: `i w na z do się nie to że jest o jak po co za od ale przez dla czy są tym tego tej ten ta te być był była było były już tylko jego jej ich może ma mają
			mam gdy kiedy gdzie kto który która które których którym oraz lub albo więc bo ponieważ jednak także też jeszcze bardzo przy pod nad przed między bez u ze
			we ja ty on ona my wy oni mnie ci mi mu go nas was nam nim tak wszystko wszystkie wszyscy każdy inny inne sobie swój swoje można trzeba należy będzie będą
			dlatego teraz tam tu potem zawsze nigdy nic coś jeśli aby żeby czego czym`,
		letters: 'ąćęłńóśźż',
		ends: 'ego emu owie nie ość ości ych ymi ami ach anie enie ów cie ski rz',
	},
	{
		codes: 'cs',
		words: `a v na se je že to s z do o k i ve ale jako za by po co pro jsou ze tak aby jsem jsme jste byl byla bylo byli být když který která které kteří jeho její
			jejich už jen nebo ještě má mají mám může mohou než pokud protože však také tento tato toto tyto tom tím toho této před pod nad mezi bez při u já ty on ona
			my vy oni mě mi tě ti ho mu ji jí nás vás nám vám jim vše všechno všechny všichni každý jiný jiné sobě svůj své lze musí bude budou proto teď tam tady
			potom vždy nikdy nic něco jestli kde kdo kdy jak proč velmi více tedy není nejsou až bych`,
		letters: 'áčďéěíňóřšťúůýž',
		ends: 'ého ému ých ými ání ení ost osti ová ový ého ách ech',
	},
	{
		codes: 'sk',
		words: `a v na sa je že to s z do o k i vo ale ako za by po čo pre sú zo tak aby som sme ste bol bola bolo boli byť keď ktorý ktorá ktoré ktorí jeho jej ich už
			len alebo ešte má majú mám môže môžu než ak pretože však tiež tento táto toto tieto tom tým toho tejto pred pod nad medzi bez pri u ja ty on ona my vy oni
			ma mi ťa ti ho mu ju nás vás nám vám im všetko všetky všetci každý iný iné sebe svoj svoje musí bude budú preto teraz tam tu potom vždy nikdy nič niečo
			či kde kto kedy prečo veľmi viac teda nie nebol`,
		letters: 'áäčďéíľĺňóôŕšťúýž',
		ends: 'ého ému ých ými anie enie osť osti ová ový ách och',
	},
	{
		codes: 'sl',
		words: `in je v na se da za so ki z s ne pa kot tudi po od do pri o bi ali iz ga ta to te tega ter še že le bil bila bilo bili biti sem smo ste si sta mu jo jih
			jim kar ko če kako kje kdo kaj zakaj ker zato vse vsi vsak nekaj nič samo lahko mora morajo bo bodo bom med pred pod nad brez svoj svoje njegov njen naš vaš
			jaz ti on ona mi vi oni tem tej tako zdaj potem vedno nikoli zelo več kateri katera ima imajo`,
		letters: 'čšž',
		ends: 'anje enje ost osti ega emu imi ih ski',
	},
	{
		codes: 'hr sr bs',
		words: `i u je na se da za su od s sa o a kao ne koji koja koje koju kojih kojim što šta ali ili ako iz do po pri bi bio bila bilo bili biti sam smo ste si nije
			nisu nisam će ću ćemo to ta taj ovo ova ovaj te tako još već samo može mogu mora ima imaju ga mu joj ih im me mi ti vi oni ona ono on ja nas vas nam vam
			njegov njezin svoj svoje kada kad gdje gde tko ko zašto kako jer zato sve svi svaki nešto ništa uvijek uvek nikad sada sad tada onda među između prije pre
			poslije posle bez nad pod kroz više vrlo veoma također takođe hvala`,
		letters: 'čćđšž',
		ends: 'anje enje ost osti ega emu ima ski ovi ova cija',
	},
	{
		codes: 'lt',
		words: `ir į iš yra kad su tai buvo o ar bet kaip tik dar jau nuo po prie per už apie kai ne nėra jo jos jų jis ji jie aš tu mes jūs man tau mums jums savo šis ši
			šie tas ta tie kuris kuri kurie kurių kas kur kodėl nes todėl visi viskas visą labai gali galima turi būti bus buvau be iki tarp prieš čia ten dabar taip
			arba nors jei jeigu daug daugiau metu`,
		letters: 'ąčęėįšųūž',
		ends: 'as is us ai ės ių imas imo ant iau uoti ams oje',
	},
	{
		codes: 'lv',
		words: `un ir no uz ar ka par tas bet kā vai ne kas to arī pie pēc lai tikai vēl jau bija nav viņš viņa viņi es tu mēs jūs man tev mums jums savu šis šī šie tā tie
			kur kad kāpēc jo tāpēc visi viss ļoti var jābūt būt būs ja līdz starp pirms šeit tur tagad vairāk daudz kurš kura kuri tika ko šo bez`,
		letters: 'āčēģīķļņšūž',
		ends: 'ās ijas šana šanas iem ām īgi ošs tu',
	},
	{
		codes: 'sq',
		words: `të e në dhe i për me një nga që është se si nuk ka më u do por ai ajo ata ne ju unë ti tij saj tyre kjo ky këto këta atë kur ku kush pse edhe ose nëse pa
			mund duhet kishte ishte janë kam kemi shumë gjithë çdo vetëm sepse pas para mbi nën ndërmjet tani këtu atje gjithmonë asnjë prej deri duke kanë qenë`,
		letters: 'çë',
		ends: 've it ët jen imi ave',
	},
	{
		codes: 'tr',
		words: `ve bir bu da de için ile çok ne var mi mı mu daha gibi olarak olan kadar ama o en ben sen biz siz onlar beni seni onu bize size bana sana ona şu her ya ise
			değil sonra önce çünkü ancak ki hem veya yok oldu olduğu olduğunu olur eğer bütün tüm şey nasıl neden nerede kim hangi hiç şimdi burada orada göre karşı
			üzere arasında tarafından bile yani lütfen sadece diye iki ayrıca artık hâlâ zaman`,
		letters: 'çğıöşüâî',
		ends: 'lar ler ların lerin nın nin dan den tan ten yor dır dir miş mış acak ecek arak erek lık lik nda nde ndan ması mesi ması lara lere iyor ıyor uyor sın',
	},
	{
		codes: 'az',
		words: `və bir bu da də üçün ilə çox nə var daha kimi olaraq olan qədər amma o ən mən sən biz siz onlar məni səni onu bizə sizə mənə hər isə deyil sonra əvvəl çünki
			ancaq ki həm və ya yox oldu əgər bütün necə niyə harada kim hansı heç indi burada görə qarşı arasında tərəfindən yalnız artıq`,
		letters: 'çəğıöşü',
		ends: 'lar lər nın nin dan dən ır ir mış miş acaq əcək araq ərək lıq lik nda ndə',
	},
	{
		codes: 'id ms',
		words: `yang dan di ini itu dengan untuk tidak dari dalam akan pada juga saya ke karena ada mereka sudah atau seperti bisa oleh kita kami anda dia ia kamu aku
			adalah sebagai telah dapat lebih banyak hanya tetapi tapi bahwa jika kalau saat ketika setelah sebelum antara tanpa sangat semua setiap orang hari
			masih belum lagi sedang harus boleh agar supaya apa siapa mana bagaimana mengapa kapan para tersebut secara maka namun hingga sampai bukan jangan pun
			lain sendiri kepada terhadap tentang sini sana sekarang tersebut tiada ialah`,
		letters: '',
		ends: 'nya kan lah kah ng an',
	},
	{
		codes: 'vi',
		words: `và của là có không được cho trong một các những này đó với để người khi đã sẽ đang tôi bạn anh chị em chúng ta họ nó ở từ đến như cũng nhưng vì nếu thì mà
			ra vào lên xuống rất nhiều hơn nhất phải cần nên hay hoặc do bởi về theo sau trước gì ai đâu sao nào lại còn chỉ mọi mỗi cả bị làm việc năm hai hãy vẫn rằng
			tại trên dưới đây kia giữa`,
		letters: 'ăâđêôơưáàảãạắằẳẵặấầẩẫậéèẻẽẹếềểễệíìỉĩịóòỏõọốồổỗộớờởỡợúùủũụứừửữựýỳỷỹỵ',
	},
	{
		codes: 'tl',
		words: `ang ng sa na mga at ay hindi ito ko mo niya ni si kung para may isang siya ako ka kami tayo sila namin natin nila nito iyon kanyang kaniya aking iyong
			pero dahil kaya rin din lang lamang nang pa ba po wala mayroon lahat bawat upang o kapag noong ngayon dito doon saan sino ano bakit paano kay nina
			habang mula hanggang tungkol bago matapos maging naging muli muna huwag`,
		letters: 'ñ',
		ends: 'ang ong ing han hin in an',
	},
	{
		codes: 'sw',
		words: `na ya wa kwa ni katika la za kuwa cha hii hiyo huu huo hili hilo hizi hizo haya hayo wao yake wake lake zake yao wao yangu wangu yako wako sisi wewe mimi yeye
			ninyi lakini au kama pia sana tu bado kabla baada kila mtu watu yote wote zote vyote nini nani wapi lini gani ili hata kwamba ambayo ambao ambaye ambacho
			ikiwa iwapo kwenye hapa hapo sasa leo ndani juu chini bila hakuna kuna alikuwa ilikuwa walikuwa ndiyo hapana si vya`,
		letters: '',
		ends: 'ni sha isha ia wa ika ana eni ake',
	},
	{
		codes: 'eu',
		words: `eta da ez bat du dira zen hau hori ere izan egin baina edo dute bere bai zuen ziren dago daude behar nahi oso gehiago guztiak beste gero orain hemen han
			zer nor non noiz nola zergatik baino arte gabe ondoren aurretik ni zu gu haiek dut dugu zuten izango egiten delako batean`,
		letters: 'ñ',
		ends: 'aren ak ek ko tik ekin tzen arekin etan era zko rako',
	},
	{
		codes: 'cy',
		words: `y yr a i o yn ar am gan ei eu fy dy ein eich mae oedd yw nid ddim ond neu os pan ble pwy beth sut pam wedi bod ac â gyda heb dros dan rhwng cyn ar ôl hyn
			hwn hon hynny yma yna nawr bob pob mwy iawn hefyd bydd rhaid`,
		letters: 'âêîôûŵŷ',
		ends: 'odd wch dd wyr',
	},
	{
		codes: 'ga',
		words: `an na is ag ar i le a do de go agus tá bhí ní nach níl sé sí siad mé tú muid sibh seo sin é í iad mo do ár bhur ach nó má nuair cá cé cad conas cén fáth ó faoi
			gan roimh tar éis anseo ansin anois gach níos an-mhaith freisin chun beidh raibh`,
		letters: 'áéíóú',
		ends: 'acht adh aigh',
	},
];
